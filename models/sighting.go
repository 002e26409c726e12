package models

// Sighting says that a person has seen a value: a manual token or a client secret.
type Sighting struct {
	ObjectID      string `gorm:"primaryKey"`
	UserID        string `gorm:"primaryKey"`
	TeamID        string
	ObjectType    SightedType
	ApplicationID string
	// UserName is the person's at the last time.
	UserName string
	FirstAt  Time
	LastAt   Time
	Times    int64
}

// SightedType is what was seen.
type SightedType string

// What can be seen.
const (
	SightedToken  SightedType = "token"
	SightedSecret SightedType = "secret"
)
