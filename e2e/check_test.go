package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
)

const (
	refusedPage = "/user/api_v2/refused"
	checkPage   = tokensPage + "/check"
)

// sent is all that the page has sent, addresses, headers and bodies.
func (p *tab) sent() string {
	p.t.Helper()
	p.mu.Lock()
	requests := slices.Clone(p.requests)
	p.mu.Unlock()
	var all strings.Builder
	for _, r := range requests {
		text, err := json.Marshal(r.Request)
		must(p.t, err)
		all.Write(text)
		if r.Request.Method == http.MethodPost {
			all.Write(call(p, network.GetRequestPostData, network.GetRequestPostDataParams{RequestID: r.RequestID}).PostData)
		}
	}
	return all.String()
}

// TestCheckTokenInBrowser pastes a token that was revoked and used since. With the script,
// nothing but its hash leaves the browser.
func TestCheckTokenInBrowser(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	app := ana.create("Trading bot")
	token := ana.generate(app, "laptop")
	value := ana.reveal(token)
	ana.deed(token+"/revoke", nil)
	ana.wantRefused(value)
	ana.wantRefused(value)
	eventually(t, func() string {
		if number(t, s.dir, "SELECT COALESCE(SUM(times), 0) FROM refused_calls WHERE team_id <> ''") != 2 {
			return "the refused calls are not stored"
		}
		return ""
	})
	p := openTab(t, s.base)
	p.become(ana)

	t.Log("with the script, on the Tokens page")
	p.open(tokensPage)
	p.sees("The value stays in this browser")
	check := func(text, verdict string) {
		t.Helper()
		p.whole().fill("Token", text)
		p.whole().click("button", "Check")
		p.announces(verdict)
		if p.path() != tokensPage {
			t.Errorf("the browser went to %s", p.path())
		}
	}
	check(" Bearer \""+value+"\"", "This token was revoked")
	p.announces("by Ana Ruiz")
	p.announces("Calls with it were refused 2 times")
	p.announces("The word Bearer stood in front of it")
	p.look("check verdict", "")
	check(value+"x", "The last characters do not fit")
	check("x y", "A space or line break stands inside")
	check(ana.clientIDOf(app), "This is a client ID, not a token")
	p.at(tokensPage, "Tokens")
	sum, worse := sha256.Sum256([]byte(value)), sha256.Sum256([]byte(value+"x"))
	sent := p.sent()
	for _, part := range []string{value, value[6:30], ana.clientIDOf(app)} {
		if strings.Contains(sent, part) {
			t.Errorf("%q was sent", part)
		}
	}
	for _, hash := range [][32]byte{sum, worse} {
		if !strings.Contains(sent, hex.EncodeToString(hash[:])) {
			t.Error("the search does not find what was sent")
		}
	}
	p.open(tokensPage)
	p.hides(value)
	judgesAsGo(p)

	t.Log("where the program is away")
	p.open(tokensPage)
	p.whole().fill("Token", value)
	s.Stop()
	p.whole().click("button", "Check")
	p.announces("The answer did not come, and the value was not sent.")
	for _, fault := range p.takeFaults() {
		if !strings.Contains(fault, "ERR_CONNECTION_REFUSED") {
			t.Error(fault)
		}
	}
	s = startIn(t, s.dir)
	withoutScript(openTab(t, s.base), s, app, value)
}

// judgesAsGo holds the script to the cases that the server's own reader is held to.
func judgesAsGo(p *tab) {
	p.t.Helper()
	cases, err := os.ReadFile("../tokens/testdata/pasted.json")
	must(p.t, err)
	wrong := eval[[]string](p, fmt.Sprintf(`(async (cases) => {
		const { judge } = await import(document.querySelector("script[src*='/check.']").src);
		return cases.map((c) => [c, judge(c.text)]).filter(([c, got]) => got.mistake !== c.mistake || got.value !== c.value || String(got.around) !== String(c.around))
			.map(([c, got]) => JSON.stringify([c, got]))
			.concat(cases.length > 50 ? [] : ["there are only " + cases.length + " cases"]);
	})(%s)`, cases))
	for _, problem := range wrong {
		p.t.Errorf("the script judges otherwise: %s", problem)
	}
}

// withoutScript sends the value, which comes back nowhere and stands in no log.
func withoutScript(p *tab, s *server, app, value string) {
	t := p.t
	t.Log("without the script")
	p.become(signIn(t, s, ownerEmail))
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open(tokensPage)
	p.sees("The value is sent to Latchkey")
	p.whole().fill("Token", value)
	p.whole().follow("button", "Check")
	p.at(checkPage, "Check a token")
	p.announces("This token was revoked")
	p.hides(value)
	if strings.Contains(s.Said(), value) {
		t.Error("the value is logged")
	}
	p.whole().follow("link", "All calls") // of the verdict
	p.at(refusedPage, "Refused calls")
	p.sees("Revoked by Ana Ruiz on ")
	p.sees("/oauth2/verify")
	p.hides(value)
	p.open(app)
	p.whole().find("region", "Refused calls")
}

// refusedPast gives the world refused calls of each reason.
func (w *world) refusedPast(t testing.TB) {
	t.Helper()
	now := time.Now().UnixMilli()
	for i, row := range []struct{ reason, scope, agent string }{
		{"revoked", "", "python-requests/2.32.3"}, {"expired", "", strings.Repeat("W", 200)}, {"wrong scope", "trade", `"><svg onload=alert(1)>`}, {"application switched off", "", ""},
		{"application deleted", "", "curl/8.5.0"}, {"team suspended", "", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
	} {
		change(t, w.s.dir, `INSERT INTO refused_calls (id, team_id, application_id, token_id, value_hash, reason, scope, route, address, agent, first_at, last_at, times)
			SELECT ?, team_id, application_id, CASE ?3 WHEN 'application deleted' THEN 'gone' ELSE id END, hash, ?3, ?4, '/graphql', '2001:db8:85a3::8a2e:370:7334', ?5, ?6 - 3600000, ?6, ?7 FROM tokens WHERE id = ?2`,
			fmt.Sprint("refused", i), idOf(w.token), row.reason, row.scope, row.agent, now-int64(i)*60_000, 1+i*4011)
	}
}

func (w *world) ofRefused() []view {
	checked := func(text, verdict string) func(p *tab) {
		return func(p *tab) {
			p.open(checkPage)
			p.whole().fill("Token", text)
			p.whole().click("button", "Check")
			p.announces(verdict)
		}
	}
	return []view{
		{name: "refused", email: ownerEmail, show: opened(refusedPage)},
		{name: "refused viewer", email: viewerEmail, show: opened(refusedPage + "?application=" + idOf(w.bot))},
		{name: "refused none", email: loneEmail, show: opened(refusedPage)},
		{name: "check token", email: ownerEmail, show: opened(checkPage)},
		{name: "check token unknown", email: ownerEmail, show: checked("lk_at_BDKrxlqsQHqxz2hudC25OJwJnytGGRjd0M8BXeORlrM4DMfow", "Latchkey does not know this token")},
		{name: "check token cut", email: viewerEmail, show: checked("'lk_at_BDKrxlqsQH'", "This is too short for a token")},
		{name: "check token empty", email: ownerEmail, status: http.StatusUnprocessableEntity, show: func(p *tab) {
			p.open(checkPage)
			p.leave(func() { eval[bool](p, `document.querySelector("form[data-check]").submit(), true`) })
			p.sees("Paste a token.")
		}},
	}
}
