package models

// Session is a signed-in browser. Its cookie carries a random ID; the row is
// found by the SHA-256 of that ID.
type Session struct {
	IDHash     []byte `gorm:"primaryKey"`
	UserID     string
	TeamID     string
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastSeenAt Time
	// ProvenAt is when the person last gave a proof of identity.
	ProvenAt Time
	Address  string
	Browser  string
	// Flash is the message for the next page, as JSON; never a value.
	Flash string
}

// KnownBrowser is a browser in which a user has signed in before. Guesses from
// elsewhere do not slow it down.
type KnownBrowser struct {
	IDHash    []byte `gorm:"primaryKey"`
	UserID    string
	CreatedAt Time `gorm:"autoCreateTime:false"`
}
