// Package models holds the words and rules of Latchkey: what an application,
// a token, a team and a role are, and what is allowed. It does no I/O, knows
// no database, no HTTP and no clock, and imports the standard library alone.
// GORM's struct tags are inert text here; package store gives them meaning.
package models
