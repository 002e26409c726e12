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

// SightedType is what somebody knows.
type SightedType string

// What can be known. A public key has no sighting: whoever added it may hold the private half.
const (
	SightedToken  SightedType = "token"
	SightedSecret SightedType = "secret"
	SightedKey    SightedType = "key"
)

// Witnesses are who made and who has seen the values that a page shows masked.
type Witnesses struct {
	// Sightings are by the ID of the token or secret, Makers by that of the secret.
	Sightings map[string][]Sighting
	Makers    map[string]string
}
