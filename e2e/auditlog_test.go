package e2e

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	cdptarget "github.com/chromedp/cdproto/target"
)

const auditLog = "/user/audit"

// ofAudit is the audit log in its states, and what others show of it.
func (w *world) ofAudit() []view {
	openFirst := func(p *tab) {
		ask[bool](p.whole().first("table", ""), `this.querySelectorAll("details.more").forEach((d, i) => { d.open = i < 4 }); return true`)
	}
	return []view{
		{name: "audit", email: ownerEmail, show: opened(auditLog)},
		{name: "audit details", email: ownerEmail, show: func(p *tab) {
			p.open(auditLog)
			openFirst(p)
		}},
		{name: "audit changes", email: ownerEmail, show: func(p *tab) {
			signIn(p.t, w.s, ownerEmail).deed(w.long, url.Values{"name": {strings.Repeat("W", 64)}, "lifespan": {"86400"}})
			p.open(auditLog + "?action=Application+changed")
			openFirst(p)
		}},
		{name: "audit older", email: ownerEmail, show: func(p *tab) {
			viewer := signIn(p.t, w.s, viewerEmail)
			for range 20 { // more than a page, with what is there
				viewer.post(applications, url.Values{})
			}
			p.open(auditLog)
			p.whole().follow("link", "Older")
			p.whole().find("link", "Newer") // the other theme adds entries meanwhile
		}},
		{name: "audit no match", email: ownerEmail, show: opened(auditLog + "?q=nothing&application=" + idOf(w.long))},
		{name: "audit errors", email: ownerEmail, status: 422, show: opened(auditLog + "?from=x&to=2026-02-30&q=" + strings.Repeat("x", 201))},
		{name: "audit admin", email: loneEmail, show: func(p *tab) {
			change(p.t, w.s.dir, "UPDATE users SET operator = 1 WHERE email = ?", loneEmail)
			p.open("/admin/audit")
		}},
		{name: "application seen", email: ownerEmail, show: func(p *tab) {
			p.open(w.bot)
			ask[bool](p.whole().first("main", ""), `this.querySelectorAll("details.more").forEach((d) => { d.open = true }); return true`)
		}},
	}
}

// TestAuditLog reads the log as people do: with the script and without it.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	bot := ana.create("Trading bot")
	ana.create("=2+3")
	ana.deed(bot, url.Values{"name": {"Börse"}, "lifespan": {"86400"}})
	ana.wantGood(ana.reveal(ana.generate(bot, "laptop")))
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script %v", script), func(t *testing.T) {
			p := openTab(t, s.base)
			call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
			p.become(signIn(t, s, ownerEmail))
			p.open(bot)
			p.whole().click(disclosure, "Seen by 1 person token ending in "+last4Of(p))
			p.sees("Ana Ruiz, once, just now")
			p.whole().follow("link", "Open in the audit log")
			p.at(auditLog, "Audit log")
			p.whole().choose("Action", "Application changed")
			p.whole().follow("button", "Filter")
			p.sees("Entries 1 to 1 of 1")
			p.sees("Name: Trading bot to Börse. Token lifespan: 5 hours to 1 day")
			p.whole().click(disclosure, "Details of Application changed, "+momentOn(p))
			p.sees("Browser or program")
			p.whole().follow("link", "Clear filter")
			ask[bool](p.whole().find("searchbox", "Text"), "this.focus(); return true")
			p.insert("BÖRSE")
			p.whole().follow("button", "Filter")
			p.sees("Token shown")
			wantCSV(t, p.download("link", "Export CSV"), "Börse, token ending in", "=2+3")
			p.whole().follow("link", "Clear filter")
			wantCSV(t, p.download("link", "Export CSV"), "'=2+3", "")
			if lines := p.download("link", "Export JSON Lines"); !strings.Contains(lines, `"target":"=2+3"`) {
				t.Errorf("JSON Lines: %s", lines)
			}
		})
	}
}

// disclosure is what Chromium calls a summary that shares its details' name with no other.
const disclosure = "DisclosureTriangle"

func last4Of(p *tab) string {
	p.t.Helper()
	return eval[string](p, `document.querySelector("td[data-label=Token] code [aria-hidden]").textContent.slice(-4)`)
}

func momentOn(p *tab) string {
	p.t.Helper()
	return eval[string](p, `document.querySelector("td time").textContent`)
}

func wantCSV(t testing.TB, text, holds, lacks string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if !strings.Contains(text, holds) || lacks != "" && strings.Contains(text, lacks) {
		t.Errorf("want %q and not %q in\n%s", holds, lacks, text)
	}
}

// download presses something that is saved as a file and returns what is in it.
func (p *tab) download(role, name string) string {
	p.t.Helper()
	dir := p.t.TempDir()
	info := call(p, cdptarget.GetTargetInfo, cdptarget.GetTargetInfoParams{})
	call(p, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: info.TargetInfo.BrowserContextID, DownloadPath: dir,
	})
	p.whole().click(role, name)
	var found []string
	eventually(p.t, func() string {
		found, _ = filepath.Glob(filepath.Join(dir, "latchkey-audit-*l")) // jsonl
		if csv, _ := filepath.Glob(filepath.Join(dir, "latchkey-audit-*.csv")); len(csv) > 0 {
			found = csv
		}
		if len(found) != 1 {
			return fmt.Sprintf("%q is not saved in %s", name, dir)
		}
		return ""
	})
	text, err := os.ReadFile(found[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// What was tampered with behind the back of a running program is found by the command, and a
// head that was kept finds what was rewritten to the end.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	ana.create("Trading bot")
	verify := func(more ...string) result {
		t.Helper()
		return command(t, "", append(append(places(s.dir), "audit", "verify"), more...)...)
	}
	if got := verify(); got.code != 0 || !strings.Contains(got.stdout, "Northwind: entries 1 to 3 are as they were written. Head 3:") || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	head := command(t, "", append(places(s.dir), "audit", "head", "--team", "northwind")...)
	fields := strings.Fields(head.stdout)
	if head.code != 0 || len(fields) != 7 {
		t.Fatalf("%+v", head)
	}
	if got := verify("--team", "NORTHWIND", "--head", fields[6]); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := verify("--team", "Northwind", "--head", "2:"+strings.TrimPrefix(fields[6], "3:")); got.code != 1 || !strings.Contains(got.stderr, "Northwind: entry 2 is not the one whose hash was kept") {
		t.Errorf("%+v", got)
	}
	withDatabase(t, s.dir, func(db *sql.DB) {
		if _, err := db.ExecContext(t.Context(), "DROP TRIGGER audit_events_no_update"); err != nil {
			t.Fatal(err)
		}
	})
	change(t, s.dir, "UPDATE audit_events SET address = '203.0.113.1' WHERE seq = 2")
	if got := verify(); got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "Northwind: entry 2 was changed (ID ") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("%+v", got)
	}
}
