package models

import "time"

// LedgerKind says why points came or went.
type LedgerKind string

// The kinds of entries.
const (
	// LedgerPlan are a period's points of the plan, LedgerLapse what of them was left at
	// its end.
	LedgerPlan  LedgerKind = "plan"
	LedgerLapse LedgerKind = "lapse"
	// LedgerPurchase adds what was bought; it does not lapse.
	LedgerPurchase LedgerKind = "purchase"
	// LedgerCorrection is an operator's, either way.
	LedgerCorrection LedgerKind = "correction"
	// LedgerUse is what calls cost.
	LedgerUse LedgerKind = "use"
	// LedgerOverage sets a balance below zero right at the end of a period: those points
	// are for the operator to bill.
	LedgerOverage LedgerKind = "overage"
)

// LedgerEntry is points that came (above zero) or went. Rows are only ever added.
type LedgerEntry struct {
	ID     string `gorm:"primaryKey"`
	TeamID string
	At     Time
	Kind   LedgerKind
	Points int64
	// BalanceAfter is the sum of the team's entries up to this one.
	BalanceAfter int64
	// Reference is the shop's event of a purchase, the batch of a use.
	Reference string
	Note      string
	ActorID   string
	ActorName string
}

// Plan is what an operator lets a team use. Zero means no limit for RateLimit, Streams
// and Members.
type Plan struct {
	ID      string `gorm:"primaryKey"`
	Name    string
	NameKey string
	// Points are given for each period of PeriodDays days, or of a calendar month in UTC
	// where that is zero. What is left of them at its end lapses.
	Points     int64
	PeriodDays int64
	// RateLimit is in requests a minute, of the whole team.
	RateLimit int64
	// Streams is how many WebSockets and streams may be open at once.
	Streams int64
	Members int64
	// Overage lets calls go on when there are no points.
	Overage   bool
	IsDefault bool
	Version   int64
	CreatedAt Time `gorm:"autoCreateTime:false"`
	ChangedAt Time
	RetiredAt Time
}

// PeriodEnd is when the period ends that begins at start.
func (p Plan) PeriodEnd(start Time) Time {
	if p.PeriodDays > 0 {
		return start + p.length()
	}
	at := start.Std()
	return At(time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC))
}

func (p Plan) length() Time { return Time(p.PeriodDays * 24 * time.Hour.Milliseconds()) }

// PeriodAt is the period that now is in, where one began at start or before.
func (p Plan) PeriodAt(start, now Time) (from, to Time) {
	if p.PeriodDays > 0 && now > start {
		start += (now - start) / p.length() * p.length()
	}
	for end := p.PeriodEnd(start); ; start, end = end, p.PeriodEnd(end) {
		if now < end {
			return start, end
		}
	}
}

// TeamPlan is a team's plan and its current period.
type TeamPlan struct {
	TeamID          string `gorm:"primaryKey"`
	PlanID          string
	Since           Time
	PeriodStartedAt Time
	PeriodEndsAt    Time
	// Granted is the plan's points of this period.
	Granted int64
	// EndsAt is when the plan ends, zero for never.
	EndsAt Time
}

// Due tells whether the period, or the plan, has ended and nobody has closed it. A period
// that was closed because the plan had ended is empty and ends with it.
func (p TeamPlan) Due(now Time) bool {
	if p.Ended(now) {
		return p.Granted > 0 || p.PeriodEndsAt != p.EndsAt
	}
	return now >= p.PeriodEndsAt
}

// Ended tells whether the plan has.
func (p TeamPlan) Ended(now Time) bool { return !p.EndsAt.IsZero() && now >= p.EndsAt }

// PointsStatus is how a team stands, in the words of the Usage API.
type PointsStatus string

// The statuses.
const (
	// PointsActive: calls pass.
	PointsActive PointsStatus = "active"
	// PointsGrace: there are no points left, and the plan lets calls go on.
	PointsGrace PointsStatus = "grace"
	// PointsBlocked: there are no points left, or the team is suspended.
	PointsBlocked PointsStatus = "blocked"
	// PointsExpired: the plan has ended.
	PointsExpired PointsStatus = "expired"
)

// Standing is what decides whether a team's calls pass. A team without a plan (HasPlan
// false) is not limited and pays no points.
type Standing struct {
	TeamPlan
	HasPlan     bool
	Plan        Plan
	Balance     int64
	Used        int64 // in this period
	Bought      int64 // in this period
	SuspendedAt Time
}

// Status derives the status at now.
func (s Standing) Status(now Time) PointsStatus {
	switch {
	case !s.SuspendedAt.IsZero():
		return PointsBlocked
	case !s.HasPlan:
		return PointsActive
	case s.Ended(now):
		return PointsExpired
	case s.Balance > 0:
		return PointsActive
	case s.Plan.Overage:
		return PointsGrace
	}
	return PointsBlocked
}

// LeaseFor is how long a node holds points without a word.
const LeaseFor = 30 * time.Second

// Lease is points of a team that one node may spend until ExpiresAt without asking again.
type Lease struct {
	// Points is what the node holds now, Available what nobody holds besides.
	Points, Available int64
	ExpiresAt         Time
}

// PointAlertMarks are the shares of a period's points, in percent, at which people are told.
var PointAlertMarks = []int64{80, 100}

// PointAlert says that a team has used Mark percent of its points of a period.
type PointAlert struct {
	TeamID          string
	TeamName        string
	PlanName        string
	Mark            int64
	PeriodStartedAt Time
	PeriodEndsAt    Time
	Used, Total     int64
	// Overage tells that the plan lets calls go on without points.
	Overage bool
}

// Reached is the highest mark that Used has come to, zero for none.
func (a PointAlert) Reached() int64 {
	reached := int64(0)
	for _, mark := range PointAlertMarks {
		// Divided first, since the product may overflow.
		if a.Total > 0 && a.Used >= a.Total/100*mark+(a.Total%100*mark+99)/100 {
			reached = max(reached, mark)
		}
	}
	return reached
}

// UsageKey says what calls are counted under. Times are UTC hours.
type UsageKey struct {
	TeamID        string
	Hour          Time
	ApplicationID string
	TokenID       string
	Route         string
	API           string
	Status        int
}

// UsageCount is what was counted.
type UsageCount struct {
	Requests, Points int64
}

// UsageBatch is counts that are stored once, however often they are sent. Charged is
// what each team's calls cost in points; teams without a plan are not in it.
type UsageBatch struct {
	ID      string
	Node    string
	Counts  map[UsageKey]UsageCount
	Charged map[string]int64
}

// RefusedCall is a call, or several alike, with a token that was not good. Where no team is
// known for the value, the row holds no more than that and the reason.
type RefusedCall struct {
	ID            string `gorm:"primaryKey"`
	TeamID        string
	ApplicationID string
	TokenID       string
	// ValueHash is the SHA-256 of what was sent.
	ValueHash []byte
	Reason    Refusal
	// Scope is what the token lacks, for RefusedScope.
	Scope string
	// Route is the gateway's, or the endpoint that was asked.
	Route   string
	Address string
	Agent   string
	FirstAt Time
	LastAt  Time
	Times   int64
}

// Ticket opens one WebSocket. Whoever has its value has the token that it was traded for,
// once and until ExpiresAt.
type Ticket struct {
	Hash      []byte `gorm:"primaryKey"`
	TokenHash []byte
	TeamID    string
	// Route is the only one that it opens, empty for any.
	Route     string
	ExpiresAt Time
}
