package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// operation is one thing that is measured, so many times.
type operation struct {
	name  string
	times int
	// together is how many do it at once, zero for one.
	together int
	// grows says why it takes longer the more tokens there are, where that is meant.
	grows string
	do    func(ctx context.Context, i int) error
}

// token is a row that was put in.
type token struct {
	id, app, team string
	hash          []byte
}

// someTokens reads rows at even distances in the order of their IDs.
func (l *lab) someTokens(ctx context.Context, count int, condition string) ([]token, error) {
	const month = 2_500_000_000
	from := int64(l.now()) - 3_600_000_000
	all := make([]token, 0, count)
	for i := range count {
		at := from + int64(i)*month/int64(count)
		var t token
		err := l.raw.QueryRowContext(ctx, "SELECT id, application_id, team_id, hash FROM tokens WHERE id > $1 AND "+condition+" ORDER BY id LIMIT 1", //nolint:gosec // a condition of ours
			fmt.Sprintf("%08x-%04x", at>>16, at&0xffff)).Scan(&t.id, &t.app, &t.team, &t.hash)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("looking for tokens: %w", err)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, errors.New("found none of the tokens that were put in")
	}
	return slices.CompactFunc(all, func(a, b token) bool { return a.id == b.id }), nil
}

// hashOf is that of a token that was never issued, or is next.
func hashOf(n int64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("bench"), uint64(n))) //nolint:gosec // a number of rows
	return sum[:]
}

// issue stores n new tokens of the huge application.
func (l *lab) issue(ctx context.Context, first int64, n int) error {
	tokens := make([]models.Token, n)
	at := l.now()
	for i := range tokens {
		tokens[i] = models.Token{
			ID: store.NewID(), ApplicationID: l.huge.ID, TeamID: l.huge.TeamID, Kind: models.KindClientCredentials, Hash: hashOf(first + int64(i)),
			Last4: "Zk3Q", Scopes: "api", CreatedAt: at, ExpiresAt: at.Add(24 * time.Hour),
		}
	}
	return l.store.InsertTokens(ctx, tokens)
}

// operations are what is measured, with the rows that they need.
func (l *lab) operations(ctx context.Context) ([]operation, error) {
	good, err := l.someTokens(ctx, 2000, "revoked_at = 0")
	if err != nil {
		return nil, err
	}
	// By no index but that of the order.
	revoking, err := l.someTokens(ctx, 100, "application_id || '' = '"+l.huge.ID+"' AND kind <> 'manual' AND revoked_at = 0 AND expires_at > "+fmt.Sprint(int64(l.now())))
	if err != nil {
		return nil, err
	}
	return slices.Concat(l.issuing(), l.checking(good), l.lists(), l.changes(good, revoking)), nil
}

func (l *lab) issuing() []operation {
	next := func(n int) int64 {
		l.issued += int64(n)
		return l.issued
	}
	one, batch := next(1000), next(300*50)
	return []operation{
		{name: "issue one token", times: 1000, do: func(ctx context.Context, i int) error { return l.issue(ctx, one-int64(i), 1) }},
		{name: "issue 50 at once, in two places", times: 300, together: 2, do: func(ctx context.Context, i int) error {
			return l.issue(ctx, batch-int64(i)*50-49, 50)
		}},
	}
}

func (l *lab) checking(good []token) []operation {
	return []operation{
		{name: "verify a token, from the database", times: 2000, do: func(ctx context.Context, i int) error {
			_, err := l.store.TokenByHash(ctx, good[i%len(good)].hash)
			return err
		}},
		{name: "verify, eight at once", times: 4000, together: 8, do: func(ctx context.Context, i int) error {
			_, err := l.store.TokenByHash(ctx, good[i%len(good)].hash)
			return err
		}},
		{name: "verify an unknown one", times: 1000, do: func(ctx context.Context, i int) error {
			if _, err := l.store.TokenByHash(ctx, hashOf(int64(-1-i))); !errors.Is(err, models.ErrNotFound) {
				return fmt.Errorf("an unknown token: %w", err)
			}
			return nil
		}},
	}
}

func (l *lab) lists() []operation {
	applications := func(query models.ApplicationQuery) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			_, err := l.store.Applications(ctx, l.big.TeamID, query)
			return err
		}
	}
	manual := func(query models.TokenQuery) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			list, err := l.store.ManualTokens(ctx, l.huge.TeamID, l.huge.ID, query)
			if query.Page < 0 {
				query.Page = int((list.Total + models.PageSize - 1) / models.PageSize)
				_, err = l.store.ManualTokens(ctx, l.huge.TeamID, l.huge.ID, query)
			}
			return err
		}
	}
	const ofPeople = "sorts the manual tokens of the application"
	return []operation{
		{name: "applications of the big team, first page", times: 100, do: applications(models.ApplicationQuery{Page: 1})},
		{name: "applications, last page", times: 100, do: applications(models.ApplicationQuery{Page: bigApplications / models.PageSize})},
		{name: "applications, found by a name", times: 100, do: applications(models.ApplicationQuery{Search: "ion 00", Page: 1})},
		{name: "applications by last use", times: 100, do: applications(models.ApplicationQuery{Sort: models.SortLastUsed, Desc: true, Page: 1})},
		{name: "applications with something that ends soon", times: 20, grows: "reads the team's manual tokens that end within a week", do: applications(models.ApplicationQuery{Ending: true, Page: 1})},
		{name: "applications by active tokens", times: 3, grows: "counts up to 10,000 tokens of each", do: applications(models.ApplicationQuery{Sort: models.SortActive, Desc: true, Page: 1})},
		{name: "the huge application", times: 10, do: func(ctx context.Context, _ int) error {
			_, err := l.store.Application(ctx, l.huge.TeamID, l.huge.ID)
			return err
		}},
		{name: "its manual tokens, first page", times: 20, grows: ofPeople, do: manual(models.TokenQuery{Page: 1})},
		{name: "its manual tokens, last page with ended ones", times: 20, grows: ofPeople, do: manual(models.TokenQuery{Ended: true, Page: -1})},
		{name: "tokens for the Explorer", times: 20, grows: "sorts the team's manual tokens", do: func(ctx context.Context, _ int) error {
			_, err := l.store.UsableTokens(ctx, l.big.TeamID, 201)
			return err
		}},
		{name: "temporary tokens of the team", times: 100, do: func(ctx context.Context, _ int) error {
			_, err := l.store.TemporaryTokens(ctx, l.big.TeamID)
			return err
		}},
		{name: "the team's calendar", times: 20, do: func(ctx context.Context, _ int) error {
			_, err := l.store.CalendarEndings(ctx, l.big.TeamID)
			return err
		}},
		{name: "what the team should look at", times: 20, grows: "counts the team's manual tokens that end within a week", do: func(ctx context.Context, _ int) error {
			l.ahead.Add(61_000) // so that nothing is remembered
			_, err := l.store.Attention(ctx, l.big.TeamID)
			return err
		}},
		{name: "what ends soon, for metrics", times: 10, grows: "counts all manual tokens that end within a week", do: func(ctx context.Context, _ int) error {
			_, err := l.store.Waiting(ctx, 20)
			return err
		}},
		{name: "all tokens by status (the page Server)", times: 1, grows: "reads the whole table", do: func(ctx context.Context, _ int) error {
			_, err := l.store.TokenCounts(ctx)
			return err
		}},
	}
}

func (l *lab) changes(good, revoking []token) []operation {
	return []operation{
		{name: "revoke a token", times: len(revoking), do: func(ctx context.Context, i int) error {
			_, _, err := l.store.RevokeToken(ctx, l.big, l.huge.ID, revoking[i].id)
			return err
		}},
		{name: "generate a token by hand", times: 50, do: func(ctx context.Context, _ int) error {
			l.issued++
			at := l.now()
			_, err := l.store.CreateManualToken(ctx, l.big, models.Token{
				ID: store.NewID(), ApplicationID: l.huge.ID, Kind: models.KindManual, Name: "New", Hash: hashOf(l.issued), Sealed: make([]byte, 64), Last4: "Zk3Q",
				Scopes: "api", CreatedAt: at, ExpiresAt: at.Add(time.Hour),
			}, "")
			return err
		}},
		{name: "note that 100 tokens were used", times: 20, do: func(ctx context.Context, i int) error {
			uses := make([]models.TokenUse, 0, 100)
			for n := range 100 {
				t := good[(i*100+n)%len(good)]
				uses = append(uses, models.TokenUse{TokenID: t.id, ApplicationID: t.app, At: l.now(), From: "192.0.2.7"})
			}
			return l.store.SaveLastUsed(ctx, uses, nil)
		}},
		{name: "tell of what ends soon", times: 5, do: func(ctx context.Context, _ int) error {
			_, err := l.store.TellEnding(ctx, func(models.Ending, models.Time) (string, error) { return "{}", nil })
			return err
		}},
		{name: "revoke all tokens of an application", times: 3, grows: "counts up to 10,000 of them first", do: func(ctx context.Context, _ int) error {
			l.revokedAll++
			var id string
			if err := l.raw.QueryRowContext(ctx, "SELECT app_id FROM bench_spread WHERE n = $1", 10+l.revokedAll).Scan(&id); err != nil {
				return err
			}
			_, err := l.store.RevokeTokens(ctx, l.big, id)
			return err
		}},
	}
}
