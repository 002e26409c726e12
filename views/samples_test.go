package views

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func sampleText(panel ui.CodePanel, lang string) string {
	var b strings.Builder
	for _, sample := range panel.Samples {
		for _, part := range sample.Parts {
			if sample.Lang == lang {
				b.WriteString(part.Text)
			}
		}
	}
	return b.String()
}

func TestCurlSampleCanBePasted(t *testing.T) {
	panel := tokenSamples("code", "http://127.0.0.1:8080", "ID", str("SECRET"), "api")
	want := `curl -X POST http://127.0.0.1:8080/oauth2/token \
  -H "Content-Type: application/x-www-form-urlencoded" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=ID" \
  --data-urlencode "client_secret=SECRET" \
  --data-urlencode "scope=api"`
	if got := sampleText(panel, "curl"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEverySampleHasWhatItNeeds(t *testing.T) {
	panel := tokenSamples("code", "http://127.0.0.1:8080", "THE_ID", str("THE_SECRET"), "THE_SCOPE")
	for _, lang := range []string{"curl", "python", "go", "javascript"} {
		for _, need := range []string{"http://127.0.0.1:8080/oauth2/token", "THE_ID", "THE_SECRET", "THE_SCOPE"} {
			if !strings.Contains(sampleText(panel, lang), need) {
				t.Errorf("%s lacks %s", lang, need)
			}
		}
	}
}

func TestWhatStandsForTheSecret(t *testing.T) {
	card := CredentialsCard{SecretID: "s1", Mask: mask + "3f9a", RevealAction: "/reveal"}
	viewers := card
	viewers.RevealAction = ""
	for name, c := range map[string]struct {
		card     CredentialsCard
		revealed Revealed
		want     ui.CodePart
	}{
		"masked":           {card, Revealed{}, ui.CodePart{Kind: ui.CodeSlot, Text: "••••••••3f9a"}},
		"shown":            {card, Revealed{SecretID: "s1", Value: models.NewSecret("v")}, ui.CodePart{Kind: ui.CodeRevealed, Text: "v"}},
		"another is shown": {card, Revealed{SecretID: "s0", Value: models.NewSecret("v")}, ui.CodePart{Kind: ui.CodeSlot, Text: "••••••••3f9a"}},
		"viewer":           {viewers, Revealed{}, ui.CodePart{Kind: ui.CodeString, Text: "CLIENT_SECRET"}},
		"no secret":        {CredentialsCard{}, Revealed{Value: models.NewSecret("v")}, ui.CodePart{Kind: ui.CodeString, Text: "CLIENT_SECRET"}},
	} {
		if got := secretPart(c.card, c.revealed); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestScopeInSamples(t *testing.T) {
	for scopes, want := range map[string]string{"api": "api", "trade api": "trade", "": ""} {
		if got := firstScope(models.Application{Scopes: scopes}.Scopes); got != want {
			t.Errorf("%q: %q, want %q", scopes, got, want)
		}
	}
}
