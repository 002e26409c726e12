package handlers

import (
	"sync"
	"time"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

// limits bound what people and addresses may do.
type limits struct {
	signIns signInLimits
	signUps signUpLimits
	// resets bounds how many links for forgotten passwords are asked for.
	resets signInLimits
	factorLimits
	warned warningLimits
	// reveals bounds how many values one person sees in a minute.
	reveals *middleware.Limiter
	// checks bounds how many values one person asks about in a minute.
	checks *middleware.Limiter
	// refusals and exports bound what one person writes into the audit log and reads of it.
	refusals, exports *middleware.Limiter
	exporting         *running
	// newEmails bounds how many addresses one person tries or sends a link to in an hour.
	newEmails *middleware.Limiter
	// invitations bounds how many a team sends in an hour, invitationMails how many of them
	// go to one address.
	invitations, invitationMails *middleware.Limiter
	// departures bounds how often one address is sent to the provider.
	departures *middleware.Limiter
	// exploring counts the requests of the Explorer that run; tokenUses bounds how often one
	// person's use of one token is noted.
	exploring *running
	tokenUses *middleware.Limiter
	// sockets bounds how many WebSockets one person opens from the editor in a minute.
	sockets *middleware.Limiter
}

// running counts, by person, what goes on now. It is safe for concurrent use.
type running struct {
	// mu guards count.
	mu    sync.Mutex
	count map[string]int
}

// enter counts one more, unless there are as many as may be.
func (r *running) enter(key string, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[key] >= most {
		return false
	}
	r.count[key]++
	return true
}

func (r *running) leave(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[key]--; r.count[key] == 0 {
		delete(r.count, key)
	}
}

func newLimits(limiter middleware.Maker) limits {
	every := func(window time.Duration, free int, name string) *middleware.Limiter {
		return limiter(name, middleware.Policy{Free: free, Window: window, Size: 1 << 14})
	}
	return limits{
		signIns: newSignInLimits(limiter), signUps: newSignUpLimits(limiter), resets: newResetLimits(limiter), factorLimits: newFactorLimits(limiter), warned: newWarningLimits(limiter),
		reveals: every(time.Minute, 60, "reveals"), checks: every(time.Minute, 60, "checks"),
		refusals: every(time.Minute, 20, "refusals"), exports: every(time.Minute, 20, "exports"), exporting: &running{count: map[string]int{}},
		newEmails: every(time.Hour, 10, "new emails"), invitations: every(time.Hour, models.MaxInvitations, "invitations"), invitationMails: every(time.Hour, 3, "mails of invitations"),
		departures: every(time.Minute, 120, "departures"), tokenUses: every(time.Hour, 1, "uses of tokens"), sockets: every(time.Minute, 60, "sockets"),
		exploring: &running{count: map[string]int{}},
	}
}

// signInLimits slow down guessing of passwords. The pause grows for one account
// from one address; the whole account waits shortly only, so that guesses from
// elsewhere do not lock its owner out. Accounts that exist have limiters of
// their own, so that noise about others cannot push their counters out.
type signInLimits struct {
	accounts, strangers accountLimits
	addresses           *middleware.Limiter
}

type accountLimits struct{ fromOneAddress, fromAnywhere *middleware.Limiter }

func newSignInLimits(limiter middleware.Maker) signInLimits {
	account := func(name string, size int) accountLimits {
		return accountLimits{
			fromOneAddress: limiter("sign-ins: "+name+" from one address", middleware.Policy{Free: 5, Window: time.Hour, Pause: doubling(30 * time.Second), Size: size}),
			fromAnywhere:   limiter("sign-ins: "+name, middleware.Policy{Free: 20, Window: time.Hour, Pause: always(accountPause), Size: size}),
		}
	}
	return signInLimits{
		accounts: account("accounts", 1<<16), strangers: account("strangers", 1<<14),
		addresses: limiter("sign-ins: addresses", middleware.Policy{Free: 20, Window: time.Hour, Pause: doubling(time.Minute), Size: 1 << 16}),
	}
}

const (
	longestPause = 15 * time.Minute
	accountPause = 10 * time.Second
)

func always(pause time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return pause }
}

func doubling(first time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return min(first<<min(n, 10), longestPause) }
}
