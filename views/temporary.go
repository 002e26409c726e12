package views

import (
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// TemporaryCard is the reader's own temporary token on the Tokens page.
type TemporaryCard struct {
	// Shown is false for those who may not see values.
	Shown bool
	// Every and Grace say in words how it changes.
	Every, Grace string
	// Changes is the badge, Next the same moment in a sentence.
	Changes, Next ui.Moment
	// OffHref leads to the application that is switched off; empty while it is on.
	OffHref string

	// ID is empty where the token of now was not made yet.
	ID, Mask, What string
	RevealAction   string
	RevealHidden   []ui.Hidden
	ReplaceHref    string
	// Hide leads back to the page without a revealed value.
	Hide string
}

// NewTemporaryCard shows how things stand. chosen is the application that the page shows
// below, empty for the first.
func NewTemporaryCard(state models.Temporary, rotation models.Rotation, chosen string, role models.Role, now Clock) TemporaryCard {
	changes := rotation.Changes(now.Time)
	card := TemporaryCard{
		Shown:        role.May(models.MayReveal),
		Every:        inWords(rotation.Every),
		Grace:        inWords(rotation.Grace),
		Next:         exact(changes, now),
		ID:           state.Token.ID,
		Mask:         mask + state.Token.Last4,
		What:         "temporary token",
		RevealAction: RevealTemporaryPath,
		ReplaceHref:  ReplaceTemporaryPath,
		Hide:         TokensPath,
	}
	card.Changes = card.Next
	card.Changes.Text = "Changes in " + shortly(changes.Sub(now.Time))
	if state.Token.Last4 != "" {
		card.What += " ending in " + state.Token.Last4
	}
	if chosen != "" {
		card.RevealHidden, card.Hide = []ui.Hidden{{Name: "application", Value: chosen}}, TokensOfPath(chosen)
	}
	if state.Off {
		card.OffHref = ApplicationPath(state.ApplicationID)
	}
	return card
}

func inWords(d time.Duration) string { return models.FormatLifespan(int64(d / time.Second)) }

// shortly writes a time in hours and minutes: "7 h 42 min".
func shortly(d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case hours == 0 && minutes == 0:
		return "less than a minute"
	case hours == 0:
		return strconv.Itoa(minutes) + " min"
	case minutes == 0:
		return strconv.Itoa(hours) + " h"
	}
	return strconv.Itoa(hours) + " h " + strconv.Itoa(minutes) + " min"
}
