package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/api"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

const shopSecret = "wharf-plum-84-fiddle-harbour-91x"

// shop is the endpoint over real HTTP, and a shop that knows the secret.
type shop struct {
	*testing.T
	db   *storetest.DB
	base string
}

func newShop(t *testing.T, secret string) shop {
	t.Helper()
	db := storetest.New(t)
	e := echo.New()
	e.IPExtractor = echo.ExtractIPFromXFFHeader()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if err := api.WriteError(c, err); err != nil {
			t.Error(err)
		}
	}
	e.Use(middleware.RequestID())
	api.New(api.Deps{Store: db.Store, PointsSecret: models.NewSecret(secret), Now: func() time.Time { return db.Now().Std() }}).Routes(e)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return shop{t, db, server.URL}
}

// mac is made without the program's own code.
func mac(secret, timestamp, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(h, timestamp+"."+body)
	return hex.EncodeToString(h.Sum(nil))
}

func (s shop) signed(body string) string {
	at := strconv.FormatInt(s.db.Now().Std().Unix(), 10)
	return "t=" + at + ",v1=" + mac(shopSecret, at, body)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s shop) send(method, body string, header http.Header) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+"/hooks/points", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (s shop) post(body string) answer {
	s.Helper()
	return s.send(http.MethodPost, body, http.Header{"Latchkey-Signature": {s.signed(body)}})
}

func (s shop) entries() int64 {
	return s.db.Number(s, "SELECT COUNT(*) FROM ledger_entries")
}

func TestAShopAddsPoints(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	var told []models.Notice
	s.db.Subscribe(func(n models.Notice) { told = append(told, n) })
	body := `{"id":"evt_1","team":"` + ana.TeamID + `","points":1000,"note":"Order 114","currency":"eur"}`
	got := s.post(body)
	if got.status != http.StatusOK || strings.TrimSpace(got.body) != `{"balance":1000,"duplicate":false}` || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%+v", got)
	}
	if len(told) != 1 || told[0].TeamID != ana.TeamID {
		t.Errorf("caches heard %+v", told)
	}
	s.db.Wait(time.Hour)
	if again := s.post(body); again.status != http.StatusOK || strings.TrimSpace(again.body) != `{"balance":1000,"duplicate":true}` {
		t.Errorf("again: %+v", again)
	}
	for name, other := range map[string]string{
		"other points": `{"id":"evt_1","team":"` + ana.TeamID + `","points":1001,"note":"Order 114"}`,
		"other note":   `{"id":"evt_1","team":"` + ana.TeamID + `","points":1000}`,
		"other team":   `{"id":"evt_1","team":"` + s.db.Member(t, "contoso", "eve", models.RoleOwner).TeamID + `","points":1000,"note":"Order 114"}`,
	} {
		if got := s.post(other); got.status != http.StatusConflict || !strings.Contains(got.body, `"error":"conflict"`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := s.entries(); n != 1 {
		t.Errorf("%d entries", n)
	}
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditPointsAdded || event.ActorName != "Shop" || event.ActorID != "" || event.Detail != "1,000 points, evt_1, Order 114" ||
		event.TargetID != ana.TeamID || event.RequestID == "" || event.Address == "" {
		t.Errorf("%+v", event)
	}
}

// R5, D8: an event that is delivered many times at once is added once.
func TestOneEventDeliveredFiftyTimesAtOnce(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	body := `{"id":"evt_1","team":"` + ana.TeamID + `","points":7}`
	answers := make([]answer, 50)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = s.post(body) })
	}
	wg.Wait()
	first := 0
	for _, got := range answers {
		var said struct {
			Balance   int64
			Duplicate bool
		}
		if err := json.Unmarshal([]byte(got.body), &said); err != nil || got.status != http.StatusOK || said.Balance != 7 {
			t.Errorf("%+v", got)
		}
		if !said.Duplicate {
			first++
		}
	}
	if first != 1 || s.entries() != 1 {
		t.Errorf("%d were the first, %d entries", first, s.entries())
	}
}

// What is not signed, or was signed at another time, gets one answer and changes nothing.
func TestUnsignedReports(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	body := `{"id":"evt_1","team":"` + ana.TeamID + `","points":1}`
	at := func(d time.Duration) string {
		then := strconv.FormatInt(s.db.Now().Std().Add(d).Unix(), 10)
		return "t=" + then + ",v1=" + mac(shopSecret, then, body)
	}
	now := strconv.FormatInt(s.db.Now().Std().Unix(), 10)
	good := mac(shopSecret, now, body)
	for name, header := range map[string]http.Header{
		"none":            {},
		"empty":           {"Latchkey-Signature": {""}},
		"two headers":     {"Latchkey-Signature": {at(0), at(0)}},
		"too old":         {"Latchkey-Signature": {at(-301 * time.Second)}},
		"too early":       {"Latchkey-Signature": {at(301 * time.Second)}},
		"other secret":    {"Latchkey-Signature": {"t=" + now + ",v1=" + mac("another-secret-of-a-shop", now, body)}},
		"other body":      {"Latchkey-Signature": {"t=" + now + ",v1=" + mac(shopSecret, now, body+" ")}},
		"other time":      {"Latchkey-Signature": {"t=" + now + "0,v1=" + good}},
		"two times":       {"Latchkey-Signature": {"t=" + now + ",t=" + now + ",v1=" + good}},
		"short":           {"Latchkey-Signature": {"t=" + now + ",v1=" + good[:62]}},
		"no hex":          {"Latchkey-Signature": {"t=" + now + ",v1=" + strings.Repeat("x", 64)}},
		"v0":              {"Latchkey-Signature": {"t=" + now + ",v0=" + good}},
		"no time":         {"Latchkey-Signature": {"v1=" + good}},
		"time of letters": {"Latchkey-Signature": {"t=now,v1=" + good}},
		"huge":            {"Latchkey-Signature": {at(0) + strings.Repeat(",v0=x", 300)}},
	} {
		header.Set("X-Forwarded-For", "192.0.2."+strconv.Itoa(len(name)))
		got := s.send(http.MethodPost, body, header)
		if got.status != http.StatusUnauthorized || strings.TrimSpace(got.body) != `{"error":"invalid_signature","error_description":"The signature is not good."}` {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := s.entries(); n != 0 {
		t.Errorf("%d entries", n)
	}
	for _, header := range []string{at(-300 * time.Second), at(300 * time.Second), " t=" + now + ", v1=" + strings.Repeat("0", 64) + " ,v1=" + strings.ToUpper(good) + ",v2=x"} {
		if got := s.send(http.MethodPost, body, http.Header{"Latchkey-Signature": {header}}); got.status != http.StatusOK {
			t.Errorf("%q: %+v", header, got)
		}
	}
}

// Failures of one address are slowed down; what is signed passes all the same.
func TestFailuresAreSlowedDown(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	var last answer
	for range 31 {
		last = s.send(http.MethodPost, "{}", nil)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") != "60" {
		t.Errorf("%+v", last)
	}
	if got := s.post(`{"id":"evt_1","team":"` + ana.TeamID + `","points":1}`); got.status != http.StatusOK {
		t.Errorf("signed: %+v", got)
	}
	if got := s.send(http.MethodPost, "{}", http.Header{"X-Forwarded-For": {"192.0.2.9"}}); got.status != http.StatusUnauthorized {
		t.Errorf("another address: %+v", got)
	}
}

// D6: what is signed and makes no sense is refused with what to write instead.
func TestSenselessReports(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	with := func(fields string) string { return `{"team":"` + ana.TeamID + `",` + fields + `}` }
	for name, test := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"nothing":         {"", 400, "Send a JSON object"},
		"a list":          {"[]", 400, "Send a JSON object"},
		"cut":             {`{"id":"e`, 400, "Send a JSON object"},
		"two":             {with(`"id":"e","points":1`) + "{}", 400, "Send a JSON object"},
		"points as text":  {with(`"id":"e","points":"1"`), 400, "whole number"},
		"half a point":    {with(`"id":"e","points":1.5`), 400, "whole number"},
		"an exponent":     {with(`"id":"e","points":1e3`), 400, "whole number"},
		"beyond int64":    {with(`"id":"e","points":9223372036854775808`), 400, "whole number"},
		"id as a number":  {with(`"id":1,"points":1`), 400, "strings"},
		"bytes":           {with("\"id\":\"\xff\",\"points\":1"), 400, "Send a JSON object"},
		"null":            {"null", 422, "points: "},
		"no id":           {with(`"points":1`), 422, "id: Name the event"},
		"a blank id":      {with(`"id":" ","points":1`), 422, "id: Name the event"},
		"a long id":       {with(`"id":"` + strings.Repeat("e", 201) + `","points":1`), 422, "id: Use at most 200 characters."},
		"an id of lines":  {with(`"id":"e\ne","points":1`), 422, "id: Write one line"},
		"no points":       {with(`"id":"e"`), 422, "points: Enter a whole number from 1 to 1,000,000,000,000"},
		"points taken":    {with(`"id":"e","points":-1`), 422, "points: "},
		"too many points": {with(`"id":"e","points":1000000000001`), 422, "points: "},
		"a long note":     {with(`"id":"e","points":1,"note":"` + strings.Repeat("n", 201) + `"`), 422, "note: Use at most 200"},
		"a refund":        {with(`"id":"e","points":1,"type":"points.refunded"`), 422, "Only points.purchased"},
		"no team":         {`{"id":"e","points":1}`, 404, "There is no team with this ID."},
		"an unknown team": {`{"id":"e","points":1,"team":"northwind"}`, 404, "There is no team with this ID."},
		"too much":        {with(`"id":"e","points":1`) + strings.Repeat(" ", 16<<10), 413, "invalid_request"},
	} {
		got := s.post(test.body)
		if got.status != test.status || !strings.Contains(got.body, test.want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if n := s.entries(); n != 0 {
		t.Errorf("%d entries", n)
	}
	if got := s.post(with(`"id":"e","points":1000000000000,"type":"points.purchased"`)); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}

// The balance has an end, far from where sums overflow.
func TestTheBalanceHasAnEnd(t *testing.T) {
	s := newShop(t, shopSecret)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "INSERT INTO team_points (team_id, balance) VALUES (?, ?)", ana.TeamID, models.MaxBalance-1); err != nil {
		t.Fatal(err)
	}
	for id, status := range []int{http.StatusOK, http.StatusUnprocessableEntity} {
		if got := s.post(fmt.Sprintf(`{"id":"evt_%d","team":%q,"points":1}`, id, ana.TeamID)); got.status != status {
			t.Errorf("%+v", got)
		}
	}
}

func TestMethodsAndSettings(t *testing.T) {
	s := newShop(t, shopSecret)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, "PURGE"} {
		if got := s.send(method, "", nil); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: %+v", method, got)
		}
	}
	if got := newShop(t, "").post(`{}`); got.status != http.StatusNotFound {
		t.Errorf("without a secret: %+v", got)
	}
}

// A shop tries again later where the database is away.
func TestTheDatabaseIsAway(t *testing.T) {
	s := newShop(t, shopSecret)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.post(`{"id":"evt_1","team":"x","points":1}`); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
}
