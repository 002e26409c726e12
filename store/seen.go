package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
)

// liveTokens are the manual tokens of a team that still work. From the applications
// to their manual tokens: of others there may be millions.
func liveTokens(d dialect) string {
	return "FROM applications a" + d.crossJoin() + "tokens t" + d.index("tokens_manual") + ` ON t.application_id = a.id
		AND t.kind = 'manual' AND t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > @now`
}

// addedKeys are the public keys of a team.
func addedKeys(d dialect) string {
	return "FROM applications a" + d.crossJoin() + "client_keys k ON k.application_id = a.id"
}

const (
	ofTeamNow = "a.team_id = @team AND a.deleted_at = 0"
	// liveSecrets are the client secrets of a team that still work and that somebody saw.
	liveSecrets = `FROM sightings s JOIN client_secrets c ON c.id = s.object_id AND (c.expires_at = 0 OR c.expires_at > @now)
		JOIN applications a ON a.id = c.application_id`
)

func seenBy(d dialect) string {
	return `SELECT 'token' AS type, t.id, a.id AS application_id, a.name AS app_name, a.name_key, t.name, t.last4, t.expires_at,
		COALESCE(s.times, 0) AS times, COALESCE(s.last_at, 0) AS last_at, '' AS description, FALSE AS only_way
		` + liveTokens(d) + ` LEFT JOIN sightings s ON s.object_id = t.id AND s.user_id = @user
		WHERE ` + ofTeamNow + ` AND (t.created_by = @user OR s.user_id IS NOT NULL)
		UNION ALL SELECT 'secret', c.id, a.id, a.name, a.name_key, '', c.last4, c.expires_at, s.times, s.last_at, '', FALSE
		` + liveSecrets + ` WHERE s.team_id = @team AND s.user_id = @user AND ` + ofTeamNow + `
		UNION ALL SELECT 'key', k.id, a.id, a.name, a.name_key, k.name, '', 0, 0, k.created_at, k.description,
		NOT EXISTS (SELECT 1 FROM client_secrets c WHERE c.application_id = a.id AND (c.expires_at = 0 OR c.expires_at > @now))
		AND NOT EXISTS (SELECT 1 FROM client_keys o WHERE o.application_id = a.id AND o.created_by <> @user)
		` + addedKeys(d) + ` WHERE ` + ofTeamNow + ` AND k.created_by = @user`
}

func formerMembers(d dialect) string {
	return `WITH known AS (
		SELECT t.created_by AS user_id, t.id ` + liveTokens(d) + ` WHERE ` + ofTeamNow + ` AND t.created_by <> ''
		UNION SELECT s.user_id, t.id ` + liveTokens(d) + ` JOIN sightings s ON s.object_id = t.id WHERE ` + ofTeamNow + `
		UNION SELECT s.user_id, c.id ` + liveSecrets + ` WHERE s.team_id = @team AND ` + ofTeamNow + `
		UNION SELECT k.created_by, k.id ` + addedKeys(d) + ` WHERE ` + ofTeamNow + ` AND k.created_by <> '')
		SELECT u.id AS user_id, u.name, u.email, COUNT(*) AS known FROM known JOIN users u ON u.id = known.user_id
		WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.team_id = @team AND m.user_id = u.id)
		GROUP BY u.id ORDER BY ` + d.folded("u.name") + `, u.id LIMIT 50`
}

// Seen lists what still works of what a person has seen or generated in a team, client
// secrets included, and of the public keys that they added. A person with nothing there who is not in the team gives models.ErrNotFound.
func (s *Store) Seen(ctx context.Context, team, userID string) (models.SeenList, error) {
	list, err := change{DB: s.read(ctx), now: s.now()}.seen(team, userID)
	return list, translate(err)
}

func (c change) seen(team, userID string) (models.SeenList, error) {
	list := models.SeenList{UserID: userID}
	args := map[string]any{"team": team, "user": userID, "now": c.now}
	if err := c.Raw("SELECT COUNT(*) FROM ("+seenBy(c.dialect())+") AS seen", args).Scan(&list.Total).Error; err != nil {
		return list, err
	}
	args["most"] = models.MaxSeen
	if err := c.Raw("SELECT * FROM ("+seenBy(c.dialect())+") AS seen ORDER BY name_key, application_id, type, last4, id LIMIT @most", args).Scan(&list.Rows).Error; err != nil {
		return list, err
	}
	var person struct {
		Name   string
		Member bool
	}
	err := c.Raw("SELECT name, EXISTS (SELECT 1 FROM members WHERE team_id = ? AND user_id = users.id) AS member FROM users WHERE id = ?", team, userID).Scan(&person).Error
	list.Name, list.Member = person.Name, person.Member
	if err == nil && list.Total == 0 && !person.Member {
		return list, models.ErrNotFound
	}
	return list, err
}

// FormerMembers lists who has left a team and knows values that still work.
func (s *Store) FormerMembers(ctx context.Context, team string) ([]models.FormerMember, error) {
	var rows []models.FormerMember
	err := s.read(ctx).Raw(formerMembers(s.sql), map[string]any{"team": team, "now": s.now()}).Scan(&rows).Error
	return rows, translate(err)
}

// SeenEnding says which values of those that a person knows are to end: tokens, public keys, and
// client secrets with the new ones that take their place. Overlap is how long a current
// secret goes on; an old one ends at once.
type SeenEnding struct {
	Tokens  []string
	Keys    []string
	Secrets map[string]models.ClientSecret
	Overlap time.Duration
}

// SeenEnded counts what was done.
type SeenEnded struct{ Tokens, Rotated, Retired, Keys int64 }

// String says it as the audit log does.
func (e SeenEnded) String() string {
	var parts []string
	for _, part := range []struct {
		n    int64
		noun string
		done string
	}{{e.Tokens, "token", "revoked"}, {e.Rotated, "secret", "rotated"}, {e.Retired, "old secret", "ended"}, {e.Keys, "public key", "removed"}} {
		if part.n > 0 {
			parts = append(parts, models.Count(part.n, part.noun)+" "+part.done)
		}
	}
	return strings.Join(parts, ", ")
}

// EndSeen ends values that a person knows, all or none, with an event for each. What
// has ended meanwhile, or was never theirs to see, is passed over.
func (s *Store) EndSeen(ctx context.Context, actor models.Actor, userID string, ending SeenEnding) (SeenEnded, error) {
	var ended SeenEnded
	err := s.write(ctx, actor, models.AuditSeenEnded, func(c change) error {
		ended = SeenEnded{}
		list, err := c.seen(actor.TeamID, userID)
		if err != nil {
			return err
		}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		for _, row := range list.Rows {
			if err := c.endSeen(actor, row, ending, &ended); err != nil {
				return err
			}
		}
		if ended == (SeenEnded{}) {
			return errNothingToDo
		}
		c.about("user", userID, list.Name)
		c.event.Detail = ended.String()
		return nil
	})
	return ended, err
}

func (c change) endSeen(actor models.Actor, row models.Seen, ending SeenEnding, ended *SeenEnded) error {
	secret, replaced := ending.Secrets[row.ID]
	switch {
	case row.Type == models.SightedToken && slices.Contains(ending.Tokens, row.ID):
		return c.deed(actor, models.AuditTokenRevoked, &ended.Tokens, func(c change) error {
			_, err := c.revokeToken(actor, row.ApplicationID, row.ID)
			return err
		})
	case row.Type == models.SightedSecret && replaced && row.ExpiresAt.IsZero():
		return c.deed(actor, models.AuditSecretRotated, &ended.Rotated, func(c change) error {
			return c.rotateSecret(actor, row.ApplicationID, Rotation{Secret: secret, Overlap: ending.Overlap, Replaces: row.ID})
		})
	case row.Type == models.SightedSecret && replaced:
		return c.deed(actor, models.AuditSecretRetired, &ended.Retired, func(c change) error {
			return c.retireSecret(actor, row.ApplicationID)
		})
	case row.Type == models.SightedKey && slices.Contains(ending.Keys, row.ID):
		return c.deed(actor, models.AuditKeyRemoved, &ended.Keys, func(c change) error {
			_, err := c.removeKey(actor, row.ApplicationID, row.ID)
			return err
		})
	}
	return nil
}

// deed runs fn as a change of its own inside this one, with an event of its own, and
// counts it where there was something to do.
func (c change) deed(actor models.Actor, action models.AuditAction, done *int64, fn func(c change) error) error {
	own := c
	own.event = newEvent(actor, action)
	own.event.At = c.now
	err := fn(own)
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	if err != nil {
		return err
	}
	*done++
	return own.record()
}
