package models

// PageSize is how many rows a list shows at once.
const PageSize = 25

// ApplicationSort names a column by which the list of applications can be sorted.
type ApplicationSort string

// The sortable columns; the first is the default.
const (
	SortName     ApplicationSort = "name"
	SortClientID ApplicationSort = "client_id"
	SortLifespan ApplicationSort = "lifespan"
	SortActive   ApplicationSort = "active"
	SortLastUsed ApplicationSort = "last_used"
)

// ApplicationQuery chooses what the list of applications shows. Page counts from 1.
type ApplicationQuery struct {
	Search string
	Sort   ApplicationSort
	Desc   bool
	// Ending leaves those of which a token or a secret ends soon.
	Ending bool
	Page   int
}

// ListedTokens is how far a list counts the active tokens of an application: there
// may be millions. The page of the application, and a list sorted by them, count
// up to CountedTokens.
const (
	ListedTokens  = 50
	CountedTokens = 10_000
)

// CountTokens is Count of tokens, or of active ones as what says, that were counted to one
// beyond CountedTokens at most.
func CountTokens(n int64, what string) string {
	if n > CountedTokens {
		return FormatNumber(CountedTokens) + "+ " + what + "s"
	}
	return Count(n, what)
}

// ApplicationRow is an application as the list shows it.
type ApplicationRow struct {
	Application `gorm:"embedded"`
	// ActiveTokens counts its active tokens of every kind, as far as it was asked to.
	ActiveTokens int64
	// MoreTokens means that there are more than that.
	MoreTokens bool `gorm:"-"`
}

// ApplicationList is one page of the list. Total counts every match.
type ApplicationList struct {
	Rows  []ApplicationRow
	Total int64
}

// ApplicationDetail is an application as its own page shows it.
type ApplicationDetail struct {
	ApplicationRow
	CreatedByName string
	ChangedByName string
	// TakenOverByName is who answers for it since its maker is gone.
	TakenOverByName string
	// Secrets holds the current secret first, then the old one if it still works.
	Secrets []ClientSecret `gorm:"-"`
	Keys    []ClientKeyRow `gorm:"-"`
}

// TokenRow is a token as lists show it. Its Sealed and Hash are not loaded.
type TokenRow struct {
	Token         `gorm:"embedded"`
	CreatedByName string
}

// TokenQuery chooses the manual tokens of one application. Page counts from 1.
type TokenQuery struct {
	// Ended adds expired and revoked tokens after the active ones.
	Ended bool
	// Ending leaves the active ones that end soon.
	Ending bool
	Page   int
}

// TokenList is one page of an application's manual tokens, active ones first.
type TokenList struct {
	Rows  []TokenRow
	Total int64
	// EndedTotal counts the expired and revoked ones, EndingTotal those that end soon, shown or not.
	EndedTotal, EndingTotal int64
}
