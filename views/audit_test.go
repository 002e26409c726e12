package views

import (
	"fmt"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

// auditEvents are of every kind that a row can be.
func auditEvents() []models.AuditEvent {
	agent := "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	event := func(seq int64, age time.Duration, who string, action models.AuditAction, target string) models.AuditEvent {
		e := models.AuditEvent{
			ID: fmt.Sprint("e", seq), TeamID: "t1", At: before(age) + 123, ActorID: "u1", ActorName: who, ActorRole: models.RoleOwner, Action: action,
			TargetType: "application", TargetID: appID, ApplicationID: appID, Target: target, Address: "203.0.113.24", UserAgent: agent, RequestID: "XO4JQKQJ2M3LQ7AV",
		}
		e.Link(seq, models.ChainStart)
		return e
	}
	changed := event(213, 20*time.Minute, "Jonas Weber", models.AuditApplicationChanged, "Trading bot")
	changed.Changes = `[{"field":"Name","before":"Bot","after":"Trading bot"},{"field":"Token lifespan","before":"5 hours","after":"1 day"}]`
	long := event(212, time.Hour, hostileNames[0], models.AuditApplicationChanged, hostileNames[4])
	long.Changes = `[{"field":"Name","before":"","after":"` + hostileNames[5] + hostileNames[5] + hostileNames[5] + `"}]`
	failed := event(210, 7*time.Hour, "Unknown", models.AuditSignInFailed, "ana@northwind.example")
	failed.ActorID, failed.ActorRole, failed.ApplicationID, failed.TargetType, failed.TargetID = "", "", "", "user", "u1"
	deleted := event(209, 26*time.Hour, "Latchkey", models.AuditEntriesDeleted, "")
	deleted.Address, deleted.UserAgent, deleted.RequestID, deleted.TargetID, deleted.Detail = "", "", "", "", "1,204 entries, up to 2025-11-22"
	v6 := event(208, 400*24*time.Hour, hostileNames[3], models.AuditTokenRevoked, hostileNames[5]+", token ending in p0Ws")
	v6.Address, v6.UserAgent = "2001:db8:85a3:1111:2222:8a2e:370:7334", hostileNames[2]
	return []models.AuditEvent{
		event(214, time.Minute, "Ana Ruiz", models.AuditTokenCreated, "Trading bot, token ending in Zk3Q"), changed, long,
		event(211, 3*time.Hour, "Mei Tanaka", models.AuditSecretRotated, "Nightly exports"), failed, deleted, v6,
	}
}

func auditState() AuditState {
	apps := []models.Application{detail().Application, {ID: "gone", Name: "Staging", DeletedAt: now}, {ID: "odd", Name: hostileNames[0]}}
	return AuditState{
		Path: AuditPath, Nav: layout.NavAudit, Keep: "365 days", Chain: models.AuditChain{FirstSeq: 1, LastSeq: 214, LastHash: auditEvents()[0].Hash},
		Choices: models.AuditChoices{
			Actions: []models.AuditAction{models.AuditApplicationChanged, models.AuditEntriesDeleted, models.AuditSecretRotated, models.AuditSignInFailed, models.AuditTokenCreated},
			Persons: []models.AuditPerson{{ID: "u2", Name: "jonas Weber"}, {ID: "u1", Name: "Ana Ruiz"}, {ID: "u3", Name: hostileNames[3]}}, Applications: apps,
		},
	}
}

func auditGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	events := auditEvents()
	chosen := auditState()
	chosen.Typed = models.AuditInput{Action: "tokens", Person: "u9", Application: "far", From: "2026-11-01", To: "2026-11-23", Text: hostileNames[2]}
	chosen.Chosen, chosen.Choices.MoreApplications, chosen.Choices.MorePersons = models.Application{ID: "far", Name: "Zebra"}, true, true
	odd := auditState()
	odd.Typed = models.AuditInput{Action: hostileNames[0], Person: models.NoPerson}
	wrong := auditState()
	wrong.Typed = models.AuditInput{From: "yesterday", To: "2026-02-30"}
	wrong.Errors = models.FieldErrors{"from": "Enter a day such as 2026-11-23.", "to": "Enter a day such as 2026-11-23.", "q": "Use at most 200 characters of plain text."}
	installation := auditState()
	installation.Path, installation.Nav, installation.Keep = AdminAuditPath, layout.NavAdminBelow, "30 days"
	installation.Chain, installation.Choices = models.AuditChain{}, models.AuditChoices{}
	zoned := clock
	zoned.Zone = time.FixedZone("Europe/Madrid", 3600)
	return map[string]templ.Component{
		"audit":          Audit(owner, NewAuditView(models.AuditList{Events: events, Total: 214, Older: true}, auditState(), clock)),
		"audit-page-2":   Audit(viewer, NewAuditView(models.AuditList{Events: events[3:], Skipped: 50, Total: 57, Newer: true}, auditState(), zoned)),
		"audit-filtered": Audit(owner, NewAuditView(models.AuditList{Events: events[:1], Skipped: 50, Total: 10_001, More: true, Newer: true, Older: true}, chosen, clock)),
		"audit-deep":     Audit(owner, NewAuditView(models.AuditList{Events: events[:2], Skipped: 10_001, Total: 10_001, More: true, Newer: true, Older: true}, odd, clock)),
		"audit-no-match": Audit(owner, NewAuditView(models.AuditList{}, odd, clock)),
		"audit-past-end": Audit(owner, NewAuditView(models.AuditList{Total: 7}, auditState(), clock)),
		"audit-errors":   Audit(owner, NewAuditView(models.AuditList{}, wrong, clock)),
		"audit-admin":    Audit(owner, NewAuditView(models.AuditList{}, installation, clock)),
	}
}

// seen is what the pages of an application say of its values.
func seen() models.Witnesses {
	row := func(who string, times int64, age time.Duration) models.Sighting {
		return models.Sighting{UserName: who, Times: times, FirstAt: before(age), LastAt: before(age)}
	}
	return models.Witnesses{
		Sightings: map[string][]models.Sighting{
			"k1": {row("Ana Ruiz", 12, 3*time.Hour), row(hostileNames[0], 1, 40*24*time.Hour)}, "k5": {row(hostileNames[3], 1, 9*24*time.Hour)},
			"s2": {row("Jonas Weber", 2, time.Minute)}, "s1": {row("Ana Ruiz", 1, 100*24*time.Hour), row("Jonas Weber", 3, 101*24*time.Hour)},
		},
		Makers: map[string]string{"s2": hostileNames[0]},
	}
}
