package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

// now is the moment at which every golden page was made.
var now = models.At(time.Date(2026, time.November, 23, 16, 0, 0, 0, time.UTC))

var clock = Clock{Time: now}

// exampleValue is what a revealed page shows, and no other page may.
const exampleValue = "lk_at_example0value0for0the0golden0pages0Zk3Q"

const (
	appID   = "7d1c2a54-52b5-4c70-9a0e-3d2f6f0b9c11"
	baseURL = "https://latchkey.northwind.example"
)

var limits = models.Limits{MaxLifespan: 365 * 86400, Scopes: []string{"api"}}

var twoScopes = models.Limits{MaxLifespan: 365 * 86400, Scopes: []string{"api", "trade"}}

// hostileNames are names that the rules let through.
var hostileNames = []string{
	`"><svg onload=alert(1)>`,
	`<script>alert(1)</script>`,
	`</title></textarea>'"&amp;`,
	"בוט מסחר (ראשי)",
	strings.Repeat("🦊", 64),
	strings.Repeat("W", 64),
}

func before(d time.Duration) models.Time { return now.Add(-d) }

func date(year int, month time.Month, d int) models.Time {
	return models.At(time.Date(year, month, d, 10, 30, 0, 0, time.UTC))
}

func pageOf(role models.Role) layout.Page {
	return layout.Page{
		User:     layout.User{Name: "Ana Ruiz", Email: "ana@northwind.example"},
		TeamName: "Northwind",
		Role:     role,
		DocsURL:  DocsPath,
		Path:     ApplicationsPath,
	}
}

func signedOutPage() layout.Page { return layout.Page{DocsURL: DocsPath, Path: LoginPath} }

func flashed(page layout.Page, text string) layout.Page {
	page.Flash = &layout.Flash{Tone: "success", Text: text}
	return page
}

func applicationRow1() models.ApplicationRow {
	return models.ApplicationRow{Application: models.Application{
		ID: appID, TeamID: "t1", Type: models.TypeService, Name: "Trading bot",
		ClientID: "4f5a0d1e-8a3b-4c55-b1a5-2f0e7c9dd3b7", Lifespan: 18000, Scopes: "api", Version: 3,
		CreatedAt: date(2026, time.March, 3), ChangedAt: before(2 * time.Minute), LastUsedAt: before(2 * time.Minute),
	}, ActiveTokens: 3}
}

func otherRow(n int, name string, active int64, used models.Time) models.ApplicationRow {
	return models.ApplicationRow{Application: models.Application{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Type: models.TypeService, Name: name,
		ClientID: fmt.Sprintf("%08d-0000-4000-8000-%012d", n, n), Lifespan: 12 * 3600, Scopes: "api",
		CreatedAt: date(2026, time.June, 2), LastUsedAt: used,
	}, ActiveTokens: active}
}

func builtInRow() models.ApplicationRow {
	row := otherRow(4, models.BuiltInName, 0, 0)
	row.Type = models.TypeBuiltIn
	return row
}

func applicationList() models.ApplicationList {
	off := otherRow(3, "Nightly exports", 1, before(17*time.Hour))
	off.DisabledAt = before(time.Hour)
	return models.ApplicationList{Total: 5, Rows: []models.ApplicationRow{
		applicationRow1(), otherRow(2, "Mobile wallet", 1204, before(time.Hour)), off, builtInRow(), otherRow(5, "Staging", 0, 0),
	}}
}

func longList(page int) models.ApplicationList {
	list := models.ApplicationList{Total: 214}
	for i := range models.PageSize {
		n := (page-1)*models.PageSize + i + 1
		list.Rows = append(list.Rows, otherRow(n, fmt.Sprintf("Worker %03d", n), int64(i%3), 0))
	}
	return list
}

func hostileList() models.ApplicationList {
	var list models.ApplicationList
	for i, name := range hostileNames {
		list.Rows = append(list.Rows, otherRow(i+1, name, 1, 0))
	}
	list.Total = int64(len(list.Rows))
	return list
}

func detail() models.ApplicationDetail {
	return models.ApplicationDetail{
		ApplicationRow: applicationRow1(), CreatedByName: "Ana Ruiz", ChangedByName: "Jonas Weber",
		Secrets: []models.ClientSecret{{ID: "s2", Last4: "3f9a", CreatedAt: date(2026, time.October, 3), LastUsedAt: before(2 * time.Minute)}},
	}
}

func detailWithOldSecret() models.ApplicationDetail {
	d := detail()
	d.Secrets = append(d.Secrets, models.ClientSecret{ID: "s1", Last4: "k8Tz", CreatedAt: d.CreatedAt, ExpiresAt: now.Add(40 * time.Minute), LastUsedAt: before(3 * time.Hour)})
	return d
}

func detailWithKeys() models.ApplicationDetail {
	d := detail()
	d.Keys = []models.ClientKeyRow{
		clientKey("p1", "Build server", "Ed25519", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", 40*24*time.Hour, before(5*time.Minute)),
		clientKey("p2", hostileNames[0], "RSA, 3072 bits", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", 3*time.Hour, 0),
	}
	return d
}

func detailWithoutSecret() models.ApplicationDetail {
	d := detailWithKeys()
	d.Secrets = nil
	return d
}

func clientKey(id, name, kind, thumbprint string, age time.Duration, used models.Time) models.ClientKeyRow {
	return models.ClientKeyRow{CreatedByName: "Ana Ruiz", ClientKey: models.ClientKey{
		ID: id, ApplicationID: appID, Name: name, Description: kind, Thumbprint: thumbprint, CreatedAt: before(age), LastUsedAt: used,
	}}
}

func token(id, last4, name string, age, life time.Duration) models.TokenRow {
	return models.TokenRow{CreatedByName: "Ana Ruiz", Token: models.Token{
		ID: id, ApplicationID: appID, Kind: models.KindManual, Name: name, Last4: last4,
		CreatedAt: before(age), ExpiresAt: before(age).Add(life),
	}}
}

func activeTokenList() models.TokenList {
	used := token("k1", "Zk3Q", "Backfill", 7*time.Hour, 3*24*time.Hour)
	used.LastUsedAt, used.LastUsedFrom = before(2*time.Minute), "203.0.113.24"
	old := token("k3", "Lm0x", hostileNames[0], 30*24*time.Hour, 90*24*time.Hour)
	old.LastUsedAt, old.LastUsedFrom, old.CreatedByName = before(20*time.Hour), "2001:db8:85a3::8a2e:370:7334", "Jonas Weber"
	return models.TokenList{Total: 3, EndedTotal: 2, Rows: []models.TokenRow{used, token("k2", "8tHw", "", 8*time.Minute, 5*time.Hour), old}}
}

func endedTokenList() models.TokenList {
	list := activeTokenList()
	revoked := token("k5", "R9pa", "Leaked", 9*24*time.Hour, 30*24*time.Hour)
	revoked.RevokedAt = before(8 * 24 * time.Hour)
	list.Rows = append(list.Rows, token("k4", "c7Vd", "", 3*24*time.Hour, 5*time.Hour), revoked)
	list.Total = 5
	return list
}

func manyTokenList() models.TokenList {
	list := models.TokenList{Total: 60, EndedTotal: 40}
	for i := range models.PageSize {
		list.Rows = append(list.Rows, token(fmt.Sprintf("m%d", i), fmt.Sprintf("x%03d", i), fmt.Sprintf("Job %d", i), time.Duration(i)*time.Hour, 30*24*time.Hour))
	}
	return list
}
