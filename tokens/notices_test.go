package tokens_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

// Promise 2 T6: what a notice names is read anew by the very next look; nothing else is.
func TestNoticesReachWhatTheyName(t *testing.T) {
	for what, test := range map[string]struct {
		notice models.Notice
		asked  int
	}{
		"this token":              {models.Notice{TokenHash: secrets.Hash(theValue)}, 1},
		"its application":         {models.Notice{ApplicationID: "app", ClientID: "client"}, 1},
		"both":                    {models.Notice{TokenHash: secrets.Hash(theValue), ApplicationID: "app"}, 1},
		"another token":           {models.Notice{TokenHash: secrets.Hash(models.NewSecret("x"))}, 0},
		"another application":     {models.Notice{ApplicationID: "other", ClientID: "other"}, 0},
		"a resource server":       {models.Notice{ClientID: "client"}, 0},
		"a value and not a hash":  {models.Notice{TokenHash: []byte(theValue.Reveal())}, 0},
		"nothing that it can say": {models.Notice{}, 0},
		"everything":              {models.Notice{Everything: true}, 1},
	} {
		d := newDesk(t, tokens.Trusted())
		d.wants(t, what+", before", "", 1)
		d.store.bearer.RevokedAt = noon
		d.cache.Forget(test.notice)
		want := models.Refusal("")
		if test.asked == 1 {
			want = models.RefusedRevoked
		}
		d.wants(t, what, want, test.asked)
	}
}

// Promise 2: one notice for the application reaches each of its tokens.
func TestNoticeReachesAllTokensOfAnApplication(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	d.store.find = func(_ context.Context, hash []byte) (models.Bearer, error) {
		b := d.store.bearer
		b.Hash = hash
		return b, nil
	}
	values := issue(t, "lk_at_", 50)
	for _, value := range values {
		d.inspectFor(t, models.NewSecret(value), "")
	}
	d.store.bearer.AppEpoch++ // all revoked
	d.cache.Forget(models.Notice{ApplicationID: "app", ClientID: "client"})
	for _, value := range values {
		if got, _ := d.inspectFor(t, models.NewSecret(value), ""); got != models.RefusedRevoked {
			t.Fatalf("refused as %q", got)
		}
	}
}

// O6 T4: what an application loses and gets back counts at the next use.
func TestApplicationsChangeReachesTheNextVerify(t *testing.T) {
	d := newDesk(t, tokens.Trusted())
	changed := models.Notice{ApplicationID: "app", ClientID: "client"}
	for _, step := range []struct {
		what   string
		change func(b *models.Bearer)
		want   models.Refusal
		scopes string
	}{
		{"as made", func(*models.Bearer) {}, "", "api trade"},
		{"scopes narrowed", func(b *models.Bearer) { b.AppScopes = "trade" }, "", "trade"},
		{"scopes widened", func(b *models.Bearer) { b.AppScopes = "api more trade" }, "", "api trade"},
		{"no scope left", func(b *models.Bearer) { b.AppScopes = "more" }, "", ""},
		{"switched off", func(b *models.Bearer) { b.AppDisabledAt = noon }, models.RefusedDisabled, ""},
		{"switched on", func(b *models.Bearer) { b.AppDisabledAt, b.AppScopes = 0, "api trade" }, "", "api trade"},
		{"team suspended", func(b *models.Bearer) { b.TeamSuspendedAt = noon }, models.RefusedSuspended, ""},
		{"team back", func(b *models.Bearer) { b.TeamSuspendedAt = 0 }, "", "api trade"},
		{"all revoked", func(b *models.Bearer) { b.AppEpoch = 1 }, models.RefusedRevoked, ""},
	} {
		step.change(&d.store.bearer)
		d.cache.Forget(changed)
		for _, asked := range []int{1, min(1, len(step.want))} { // the second look finds it in the cache
			d.wants(t, step.what, step.want, asked)
		}
		if grant, _ := d.Inspect(t.Context(), theValue, ""); grant.Scopes != step.scopes {
			t.Errorf("%s: scopes %q, want %q", step.what, grant.Scopes, step.scopes)
		}
	}
}

// T6: a read that began before a notice is answered and never remembered, whatever
// the notice was about.
func TestReadThatBeganBeforeANoticeIsNotKept(t *testing.T) {
	for what, notice := range map[string]models.Notice{
		"this token":          {TokenHash: secrets.Hash(theValue)},
		"its application":     {ApplicationID: "app", ClientID: "client"},
		"another application": {ApplicationID: "other"},
	} {
		onOneProcessor(t, func(t *testing.T) {
			d := newDesk(t, tokens.Trusted())
			answer := d.slow()
			asked := make(chan error, 1)
			go func() {
				_, err := d.Inspect(t.Context(), theValue, "")
				asked <- err
			}()
			synctest.Wait()
			d.store.bearer.RevokedAt = noon
			d.cache.Forget(notice)
			answer()
			if err := <-asked; err != nil {
				t.Errorf("%s: the read itself: %v", what, err)
			}
			d.wantsEmpty(t)
			d.wants(t, what, models.RefusedRevoked, 1)
		})
	}
}

// T6: the same where another process changed something, and where the trust ended
// before the read did.
func TestReadThatBeganBeforeAForeignChangeIsNotKept(t *testing.T) {
	for what, then := range map[string]error{"changed": nil, "lost": models.ErrUnavailable} {
		inBubble(t, &elsewhere{}, func(t *testing.T, f *fed) {
			answer := f.slow()
			asked := make(chan error, 1)
			go func() {
				_, err := f.Inspect(t.Context(), theValue, "")
				asked <- err
			}()
			synctest.Wait()
			f.store.bearer.RevokedAt = noon
			f.other.set(func(e *elsewhere) { e.version, e.err = 1, then })
			f.sleepTo(300 * ms)
			answer()
			if err := <-asked; err != nil {
				t.Errorf("%s: the read itself: %v", what, err)
			}
			f.wantsEmpty(t)
			f.other.set(func(e *elsewhere) { e.err = nil })
			f.sleepTo(600 * ms)
			f.wants(t, what, models.RefusedRevoked, 1)
		})
	}
}
