package models

// CalendarFeed is a member's private calendar of what ends in a team. Its address
// holds a code, by whose SHA-256 it is found.
type CalendarFeed struct {
	TeamID     string `gorm:"primaryKey"`
	UserID     string `gorm:"primaryKey"`
	CodeHash   []byte
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastUsedAt Time
}

// MaxCalendarEvents is how many events a feed has, those that end first.
const MaxCalendarEvents = 500
