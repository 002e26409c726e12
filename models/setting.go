package models

// Setting is one setting of the program as operators see it.
type Setting struct {
	// Name is its environment variable.
	Name    string
	Default string
	// Set tells that it differs from the default.
	Set bool
	// Open settings show their Value; the others may hold a secret and have none here.
	Open  bool
	Value string
}

// Installation is what the program knows about itself.
type Installation struct {
	Version   string
	StartedAt Time
	Settings  []Setting
}
