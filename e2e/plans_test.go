package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// An operator makes a plan, gives it to a team and adds points; the team sees them. A shop
// adds more by a report that the shell of the documentation signs.
func TestPlansAndPoints(t *testing.T) {
	t.Parallel()
	const secret = "wharf-plum-84-fiddle-harbour-91x"
	dir := t.TempDir()
	addUser(t, dir, operatorEmail, "Olga Brandt", "Operations", "owner")
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	change(t, dir, "UPDATE users SET operator = 1 WHERE email = ?", operatorEmail)
	s := startIn(t, dir, "--points-secret", secret)
	olga := openTab(t, s.base)
	olga.become(signIn(t, s, operatorEmail))

	olga.open("/admin/teams")
	olga.whole().follow("link", "Plans")
	olga.at("/admin/plans", "Administration")
	olga.sees("No plans yet")
	d := olga.whole().dialog("link", "New Plan", "New plan")
	d.fill("Name", "Pro")
	d.fill("Points in a period", "1000")
	d.fill("Requests a minute", "600")
	d.follow("button", "Add plan")
	olga.announces("The plan Pro was added.")

	olga.whole().follow("link", "Teams")
	olga.whole().follow("link", "Northwind")
	d = olga.whole().dialog("link", "Give plan", "Plan of Northwind")
	d.follow("button", "Give plan")
	olga.announces("The plan of Northwind was set.")
	d = olga.whole().dialog("link", "Add points", "Add points to Northwind")
	d.fill("Points", "500")
	d.fill("Note (optional)", "Thanks for waiting")
	d.follow("button", "Add points")
	olga.announces("The balance of Northwind is now 1,500 points.")
	d = olga.whole().dialog("link", "Correct balance", "Correct the balance of Northwind")
	d.fill("Points", "-100")
	d.fill("Reason", "Typed twice")
	d.follow("button", "Correct balance")
	olga.announces("The balance of Northwind is now 1,400 points.")
	team := idOf(eval[string](olga, "location.pathname"))

	for _, want := range []string{`{"balance":2400,"duplicate":false}`, `{"balance":2400,"duplicate":true}`} {
		if got := reportBySh(t, s.base, secret, `{"id":"evt_1","type":"points.purchased","team":"`+team+`","points":1000,"note":"Order 114"}`); got != want {
			t.Errorf("the shop is told %q, want %q", got, want)
		}
	}

	ana := openTab(t, s.base)
	ana.become(signIn(t, s, ownerEmail))
	ana.open("/user/usage/points")
	ana.at("/user/usage/points", "Points")
	for _, text := range []string{"2,400", "Order 114", "evt_1", "Shop", "Typed twice", "Thanks for waiting", "Points of the plan"} {
		ana.sees(text)
	}
	ana.expect(http.StatusForbidden)
	ana.open("/admin/teams/" + team)
	s.Stop()
	if log := s.Said(); strings.Contains(log, secret) || strings.Contains(log, "v1=") {
		t.Error("the log holds the secret or a signature")
	}
}

// reportBySh reports as docs/points.md says.
func reportBySh(t *testing.T, base, secret, body string) string {
	t.Helper()
	script := fmt.Sprintf(`t=$(date +%%s)
v1=$(printf '%%s.%%s' "$t" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -hex | sed 's/.* //')
curl -sS --noproxy '*' %s/hooks/points -H "Latchkey-Signature: t=$t,v1=$v1" -H 'Content-Type: application/json' -d "$BODY"`, base)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env = append(cmd.Environ(), "SECRET="+secret, "BODY="+body)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return strings.TrimSpace(string(out))
}
