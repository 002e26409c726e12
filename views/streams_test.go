package views

import (
	"testing"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func streamGoldens() map[string]templ.Component {
	page := pageOf(models.RoleDeveloper)
	app, token := applicationRow1(), activeTokenList().Rows[0].Token
	view := NewApplicationView(detail(), activeTokenList(), TokensState{Role: page.Role}, baseURL, limits.Scopes, clock)
	view.Streams = LiveStreams(3)
	erase, revoke, one, off := NewConfirmDelete(app, "", false), NewConfirmRevokeAll(app), NewConfirmRevokeToken(token, ""), NewConfirmSwitchOff(app)
	erase.Streams, revoke.Streams, one.Streams, off.Streams = StreamsClose(2), StreamsClose(1204), StreamsClose(1), StreamsClose(2)
	return map[string]templ.Component{
		"application-streams":        Application(page, view),
		"delete-application-streams": DeleteApplication(page, erase),
		"revoke-tokens-streams":      RevokeAll(page, revoke),
		"revoke-token-streams":       RevokeToken(page, one),
		"switch-off-streams":         SwitchOff(page, off),
	}
}

func TestStreamsInWords(t *testing.T) {
	for n, want := range map[int][2]string{
		0: {"", "Live streams: 0"}, 1: {"1 live stream closes too.", "Live streams: 1"}, 1204: {"1,204 live streams close too.", "Live streams: 1,204"},
	} {
		if closing, live := StreamsClose(n), LiveStreams(n); closing != want[0] || live != want[1] {
			t.Errorf("%d: %q, %q", n, closing, live)
		}
	}
}
