package views

import (
	"testing"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func streamGoldens() map[string]templ.Component {
	page := pageOf(models.RoleDeveloper)
	app, token := applicationRow1(), activeTokenList().Rows[0].Token
	erase, revoke, one, off := NewConfirmDelete(app, "", false), NewConfirmRevokeAll(app), NewConfirmRevokeToken(token, ""), NewConfirmSwitchOff(app)
	erase.Streams, revoke.Streams, one.Streams, off.Streams = StreamsClose(2), StreamsClose(1204), StreamsClose(1), StreamsClose(2)
	return map[string]templ.Component{
		"delete-application-streams": DeleteApplication(page, erase),
		"revoke-tokens-streams":      RevokeAll(page, revoke),
		"revoke-token-streams":       RevokeToken(page, one),
		"switch-off-streams":         SwitchOff(page, off),
	}
}

func TestStreamsInWords(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "1 live stream closes too.", 1204: "1,204 live streams close too."} {
		if got := StreamsClose(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
