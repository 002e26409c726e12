// Package layout is the shell around every page: top bar, menus, messages and
// the elements that the script needs. A page fills in what only it knows.
package layout

import (
	"strings"
	"unicode"

	"github.com/latchkey/latchkey/models"
)

// Page is what the shell shows. Handlers fill in all but Title and Nav, which
// each page sets for itself with On.
type Page struct {
	Title    string
	Nav      Nav
	User     User
	TeamName string
	Role     models.Role
	// Teams are those that the reader may switch to, with the current one; empty where
	// there is nothing to choose.
	Teams []TeamChoice
	// Operator tells that the reader runs this installation.
	Operator bool
	// Theme is "light", "dark" or empty, which follows the system.
	Theme string
	Flash *Flash
	// DocsURL is where the doc link leads.
	DocsURL string
	// Path is this page's own address, to come back to after changing the theme.
	Path string
}

// User is who is signed in; an empty Name means nobody.
type User struct {
	Name  string
	Email string
}

// Flash is a message about the deed just done. Tone is "success", "warning" or "danger".
type Flash struct {
	Tone string
	Text string
}

// On returns the page with the title and place of one template.
func (p Page) On(title string, nav Nav) Page {
	p.Title, p.Nav = title, nav
	return p
}

// SignedIn tells whether somebody is.
func (p Page) SignedIn() bool { return p.User.Name != "" }

// TeamChoice is a team in the switcher.
type TeamChoice struct {
	ID, Name, Role string
	Current        bool
}

// Initials are the first letters of the first and last word of the name.
func (u User) Initials() string {
	words := strings.Fields(u.Name)
	if len(words) == 0 {
		return ""
	}
	letters := firstRune(words[0])
	if len(words) > 1 {
		letters += firstRune(words[len(words)-1])
	}
	return letters
}

func firstRune(word string) string {
	for _, r := range word {
		return string(unicode.ToUpper(r))
	}
	return ""
}

// themes are the buttons of the theme form.
func (p Page) themes() []themeButton {
	buttons := []themeButton{{Value: "system", Text: "System"}, {Value: "light", Text: "Light"}, {Value: "dark", Text: "Dark"}}
	for i := range buttons {
		chosen := buttons[i].Value == p.Theme || p.Theme == "" && i == 0
		buttons[i].Pressed = map[bool]string{true: "true", false: "false"}[chosen]
	}
	return buttons
}

type themeButton struct{ Value, Text, Pressed string }
