package ui

// Link is a text that leads somewhere.
type Link struct {
	Text string
	Href string
}

// Look is how much a link that looks like a button stands out.
type Look int

// The looks.
const (
	Plain Look = iota
	Small
	Quiet
	Primary
)

// Dialog is a link to a page that opens as a dialog. Danger leads to a deed that
// cannot be undone.
type Dialog struct {
	Href   string
	Look   Look
	Danger bool
}

// Option is one choice of a select.
type Option struct {
	Value    string
	Text     string
	Selected bool
}

// OptionGroup is a part of a select with a title.
type OptionGroup struct {
	Title   string
	Options []Option
}

// Choice is one radio card or checkbox with an explanation.
type Choice struct {
	Value   string
	Text    string
	Hint    string
	Checked bool
}

// Column is the head of a table column. A column with Href sorts by it; Sort
// is "ascending" or "descending" where the table is sorted by it now.
type Column struct {
	Text string
	// Hidden keeps the text for screen readers alone.
	Hidden bool
	Href   string
	Sort   string
	// Number columns stand at the end of their cells.
	Number bool
}

// Pager leads through a long list. Text says what is shown ("1 to 25 of 214");
// an empty Text means that all is shown and there is nothing to lead to. An
// empty address marks the end.
type Pager struct {
	Text     string
	Previous string
	Next     string
	// Back and On are the words of the links where they are others than Previous and Next.
	Back, On string
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// Hidden is a form field that nobody sees.
type Hidden struct {
	Name  string
	Value string
}

// Input is a one-line text field. ID and Name differ where two forms may meet
// in one page: a dialog shows a form inside another page.
type Input struct {
	ID    string
	Name  string
	Label string
	// LabelName and LabelEnd go on with the label where it quotes a name.
	LabelName    string
	LabelEnd     string
	Type         string // empty means text
	Value        string
	Hint         string
	Error        string
	Autocomplete string
	InputMode    string
	MaxLength    string
	MinLength    string
	Pattern      string
	Title        string
	Required     bool
	Autofocus    bool
	ReadOnly     bool
	// Verbatim switches off what phones do to words.
	Verbatim bool
}

func (in Input) kind() string {
	if in.Type == "" {
		return "text"
	}
	return in.Type
}

// describedBy names the elements that explain and correct a control.
func describedBy(id, hint, problem string) string {
	switch {
	case hint != "" && problem != "":
		return id + "-hint " + id + "-error"
	case hint != "":
		return id + "-hint"
	case problem != "":
		return id + "-error"
	}
	return ""
}

// Dropdown is a select with a label.
type Dropdown struct {
	ID      string
	Name    string
	Label   string
	Options []Option
	// Groups follow the options.
	Groups []OptionGroup
	Hint   string
	Error  string
}

// Copy is a button that copies. What names the thing for screen readers and
// Done is said when it is on the clipboard.
type Copy struct {
	// Text is copied as it is.
	Text string
	// From is the selector of a code panel whose visible code is copied.
	From string
	// Secret copies the value behind the enclosing masked box.
	Secret bool
	What   string
	Done   string
	// Label makes it a button with a visible word.
	Label string
	// Revealed marks a button that holds a revealed value: it goes when the page is left.
	Revealed bool
}

func (c Copy) spoken() string {
	if c.Label == "" {
		return "Copy " + c.What
	}
	return " " + c.What
}

// Tab is one page of an area.
type Tab struct {
	Text, Href string
	Current    bool
}
