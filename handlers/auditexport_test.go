package handlers_test

import (
	"bufio"
	stdcontext "context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// A5: RFC 4180 with a name of ours, and nothing that a spreadsheet would calculate.
func TestExportCSV(t *testing.T) {
	s := newSite(t)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	s.application(t, eve, "Theirs")
	hostile := []string{`=HYPERLINK("https://evil.example","x")`, "+1", "-1", "@SUM(A1)", `a "quoted", name`, "ünïcode 🦊"}
	for _, name := range hostile {
		s.application(t, ana, name)
	}
	b := s.signedIn(t, ana)
	b.do(http.MethodPost, apps, values("name", "x"), http.Header{"Sec-Fetch-Site": {"cross-site"}, "User-Agent": {"=cmd|' /C calc'!A0"}})
	got := b.get(auditPath + "/export.csv")
	got.expect(t, http.StatusOK)
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8; header=present", "Content-Disposition": `attachment; filename="latchkey-audit-20261123-160000.csv"`,
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Encoding": "",
	} { // P3, P4, P9
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: %q", name, value)
		}
	}
	if lines := strings.Count(got.body, "\n"); lines != strings.Count(got.body, "\r\n") || !strings.HasSuffix(got.body, "\r\n") {
		t.Error("lines do not end as RFC 4180 says")
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	log := s.db.Log(t, ana.TeamID, models.AuditQuery{})
	if len(rows) != len(log)+1 || rows[0][0] != "entry" || rows[0][3] != "target" {
		t.Fatalf("%d rows for %d events", len(rows), len(log))
	}
	targets := ""
	for i, row := range rows[1:] {
		if row[0] != fmt.Sprint(log[i].Seq) || row[1] != log[i].At.Std().Format("2006-01-02T15:04:05.000Z") || row[18] != log[i].Hash {
			t.Errorf("row %d: %q", i, row)
		}
		for _, field := range row {
			if field != "" && strings.ContainsAny(field[:1], "=+-@\t\r\x00") {
				t.Errorf("a spreadsheet calculates %q", field)
			}
		}
		targets += row[3] + "\n"
	}
	for i, name := range hostile {
		want := name
		if i < 4 {
			want = "'" + name
		}
		if !strings.Contains(targets, want+"\n") {
			t.Errorf("no %q", want)
		}
	}
	if rows[1][13] != "'=cmd|' /C calc'!A0" || strings.Contains(got.body, "Theirs") { // D3
		t.Errorf("agent %q", rows[1][13])
	}
	head := b.do(http.MethodHead, auditPath+"/export.csv", nil, nil)
	if head.StatusCode != http.StatusOK || head.body != "" || !strings.HasPrefix(head.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("HEAD: %s %q", head.Status, head.body)
	}
	filtered := b.get(auditPath + "/export.csv?action=Application+created&q=quoted")
	if n := strings.Count(filtered.body, "\r\n"); n != 2 || !strings.Contains(filtered.body, `"a ""quoted"", name"`) {
		t.Errorf("filtered: %q", filtered.body)
	}
}

// Whoever has the export can compute the chain anew: docs/security.md says how.
func TestExportJSONLines(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, _ := s.application(t, ana, "<Bot> & Söhne")
	b := s.signedIn(t, ana)
	b.post(apps+"/"+app.ID, "name", `Bot "2" <b>`, "lifespan", "86400").expect(t, http.StatusSeeOther)
	got := b.do(http.MethodGet, auditPath+"/export.jsonl", nil, http.Header{"Accept-Encoding": {"gzip"}})
	got.expect(t, http.StatusOK)
	if got.Header.Get("Content-Type") != "application/jsonl; charset=utf-8" || !strings.HasSuffix(got.Header.Get("Content-Disposition"), `.jsonl"`) || got.Header.Get("Content-Encoding") != "" {
		t.Errorf("%v", got.Header)
	}
	var lines []map[string]any
	var events []models.AuditEvent
	for line := range strings.Lines(got.body) {
		var e struct {
			Entry, Version                                                                         int64
			Time, Action, Target, Detail, Person, Role, Hash, ID                                   string
			TargetType, TargetID, ApplicationID, PersonID, IPAddress, UserAgent, RequestID, TeamID string
			Changes                                                                                json.RawMessage
		}
		raw := map[string]any{}
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		plain := strings.NewReplacer("target_type", "TargetType", "target_id", "TargetID", "application_id", "ApplicationID", "person_id", "PersonID",
			"ip_address", "IPAddress", "user_agent", "UserAgent", "request_id", "RequestID", "team_id", "TeamID").Replace(line)
		if err := json.Unmarshal([]byte(plain), &e); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, e.Time)
		if err != nil {
			t.Fatal(err)
		}
		changes := string(e.Changes)
		if changes == "[]" {
			changes = ""
		}
		lines = append(lines, raw)
		events = append(events, models.AuditEvent{
			ID: e.ID, TeamID: e.TeamID, Seq: e.Entry, Version: e.Version, At: models.At(at), ActorID: e.PersonID, ActorName: e.Person, ActorRole: models.Role(e.Role),
			Action: models.AuditAction(e.Action), TargetType: e.TargetType, TargetID: e.TargetID, Target: e.Target, ApplicationID: e.ApplicationID, Detail: e.Detail,
			Changes: changes, Address: e.IPAddress, UserAgent: e.UserAgent, RequestID: e.RequestID, Hash: e.Hash,
		})
	}
	before := models.ChainStart
	for i := len(events) - 1; i >= 0; i-- {
		again := events[i]
		again.Link(int64(len(events)-i), before)
		if again.Hash != events[i].Hash || again.Seq != events[i].Seq {
			t.Errorf("entry %d does not follow: %v", events[i].Seq, lines[i])
		}
		before = events[i].Hash
	}
	if chain, err := s.db.AuditChain(t.Context(), ana.TeamID); err != nil || before != chain.LastHash || len(events) < 5 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestExportsAreBounded(t *testing.T) { // R2
	s := newSite(t)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	for range 20 {
		b.get(auditPath+"/export.csv").expect(t, http.StatusOK)
	}
	got := b.get(auditPath + "/export.jsonl")
	got.expect(t, http.StatusTooManyRequests)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.db.Wait(time.Minute)
	b.get(auditPath+"/export.jsonl").expect(t, http.StatusOK)
}

// sink is a client at the other end of an export.
type sink struct {
	http.ResponseWriter
	bytes     int64
	parts     int
	deadlines []time.Time
	onPart    func(part int)
}

func (w *sink) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	return len(p), nil
}

func (w *sink) SetWriteDeadline(at time.Time) error {
	w.deadlines = append(w.deadlines, at)
	w.parts++
	if w.onPart != nil {
		w.onPart(w.parts)
	}
	return nil
}

// exportTo sends an export to w and tells whether it was cut.
func exportTo(t testing.TB, s *site, b *browser, ctx stdcontext.Context, path string, w *sink) (cut bool) {
	t.Helper()
	w.ResponseWriter = httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.AddCookie(b.cookie("latchkey_session"))
	defer func() { cut = recover() != nil }()
	s.Config.Handler.ServeHTTP(w, r)
	return false
}

// R2: an export goes on for as long as its client reads, whatever a page may take, and moves
// the deadline of the connection with each part.
func TestAnExportOutlivesTheTimeOfAPage(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	s.db.FillLog(t, ana, 1700)
	ctx, cancel := stdcontext.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	w := &sink{onPart: func(part int) {
		if part == 2 {
			<-ctx.Done()
		}
	}}
	if cut := exportTo(t, s, b, ctx, auditPath+"/export.csv", w); cut || w.parts != 4 || w.bytes < 1700*200 {
		t.Errorf("cut %v after %d parts, %d bytes", cut, w.parts, w.bytes)
	}
	for i, deadline := range w.deadlines {
		if left := time.Until(deadline); left < 20*time.Second || left > 31*time.Second || i > 0 && !deadline.After(w.deadlines[i-1]) {
			t.Errorf("part %d has %s", i, left)
		}
	}
}

// R4: one person holds the parts of two exports in memory, however slowly their clients
// read; another's exports go on.
func TestTwoExportsAtOnce(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b, bob := s.signedIn(t, ana), s.signedIn(t, s.member(t, "northwind", "bob", models.RoleViewer))
	begun, goOn := make(chan struct{}), make(chan struct{})
	var exports sync.WaitGroup
	for range 2 {
		exports.Go(func() {
			w := &sink{onPart: func(int) { begun <- struct{}{}; <-goOn }}
			if exportTo(t, s, b, t.Context(), auditPath+"/export.csv", w) {
				t.Error("cut")
			}
		})
		<-begun
	}
	got := b.get(auditPath + "/export.csv")
	got.expect(t, http.StatusTooManyRequests)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	bob.get(auditPath+"/export.csv").expect(t, http.StatusOK)
	close(goOn)
	exports.Wait()
	b.get(auditPath+"/export.csv").expect(t, http.StatusOK)
}

// A6: an export that fails half way does not look whole.
func TestAnExportThatFailsIsCut(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	s.db.FillLog(t, ana, 1700)
	w := &sink{onPart: func(part int) {
		if part == 2 {
			_ = s.db.Close()
		}
	}}
	if cut := exportTo(t, s, b, t.Context(), auditPath+"/export.jsonl", w); !cut || w.parts != 2 {
		t.Errorf("cut %v after %d parts", cut, w.parts)
	}
	b.get(auditPath+"/export.csv").expect(t, http.StatusServiceUnavailable)
}

// peak watches how much of the heap is in use.
func peak(t testing.TB, do func(look func())) (most uint64) {
	t.Helper()
	var stats runtime.MemStats
	look := func() {
		runtime.ReadMemStats(&stats)
		most = max(most, stats.HeapInuse)
	}
	runtime.GC()
	look()
	before := most
	most = 0
	do(look)
	return most - min(before, most)
}

// live is the memory that is in use and not garbage.
func live() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// An export takes no more memory however long the log is.
func TestExportsTakeLittleMemory(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	const events = 60_000
	s.db.FillLog(t, ana, events)
	for _, path := range []string{auditPath + "/export.csv", auditPath + "/export.jsonl"} {
		before, most := live(), uint64(0)
		w := &sink{onPart: func(part int) {
			if part%30 == 0 {
				most = max(most, live())
			}
		}}
		cut := exportTo(t, s, b, t.Context(), path, w)
		// All of them at once would be 80 MB.
		if took := most - min(before, most); cut || w.bytes < events*300 || took > 8<<20 {
			t.Errorf("%s: cut %v, %d MB sent, %d MB of memory", path, cut, w.bytes>>20, took>>20)
		}
	}
}

// BenchmarkExport sends a million events over HTTP; the memory is that of client and server.
func BenchmarkExport(b *testing.B) {
	s := newSite(b)
	ana := s.member(b, "northwind", "ana", models.RoleOwner)
	s.db.FillLog(b, ana, 1_000_000)
	for _, path := range []string{auditPath + "/export.csv", auditPath + "/export.jsonl"} {
		b.Run(path, func(b *testing.B) {
			client := s.signedIn(b, ana)
			var lines int
			var took uint64
			for b.Loop() {
				took = max(took, peak(b, func(look func()) { lines = readLines(b, client, path, look) }))
			}
			if lines < 1_000_000 {
				b.Fatalf("%d lines", lines)
			}
			b.ReportMetric(float64(took)/(1<<20), "MB")
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func readLines(b *testing.B, client *browser, path string, look func()) (lines int) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, client.site.URL+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := client.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	reader := bufio.NewReader(answer.Body)
	for {
		if _, err := reader.ReadSlice('\n'); err == io.EOF {
			return lines
		} else if err != nil {
			b.Fatal(err)
		}
		if lines++; lines%10_000 == 0 {
			look()
		}
	}
}
