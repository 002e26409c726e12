package views

import (
	"slices"
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
	"github.com/latchkey/latchkey/views/ui"
)

// AuditView is the page Audit log, of a team or of the installation.
type AuditView struct {
	Nav  layout.Nav
	Lead string
	// Path is where the filter leads, Clear the page without one.
	Path, Clear string
	CSV, JSONL  string
	Action      ui.Dropdown
	Person      ui.Dropdown
	Application ui.Dropdown
	From, To    ui.Input
	Text        ui.Input
	Filtered    bool
	// PastEnd is the first page, where this one is empty and that is not.
	PastEnd      string
	Zone         string
	Rows         []AuditItem
	Pager        ui.Pager
	EmptyTitle   string
	EmptyText    string
	Head         string
	HeadText     string
	Applications bool
}

// AuditItem is a row of the log.
type AuditItem struct {
	Icon   string
	Action string
	Target string
	// About says more of the target in the list, where there is more to say.
	About   string
	Person  string
	Time    ui.Moment
	Address string
	Details AuditDetails
}

// AuditDetails is what a row shows on request. Of what is empty there is none.
type AuditDetails struct {
	What    string // names the row for screen readers
	Changes []models.AuditChange
	Facts   []AuditFact
}

// AuditFact is a name with its value. Code marks what machines made.
type AuditFact struct {
	Name, Value string
	Code        bool
}

// AuditState is what the address says, and what is to choose from.
type AuditState struct {
	Path    string
	Nav     layout.Nav
	Typed   models.AuditInput
	Errors  models.FieldErrors
	Choices models.AuditChoices
	// Chosen is the application that the filter names, also where the choices do not hold it.
	Chosen models.Application
	Chain  models.AuditChain
	// Keep says how long events are kept.
	Keep string
}

// NewAuditView shows one page of a log.
func NewAuditView(list models.AuditList, state AuditState, now Clock) AuditView {
	in := state.Typed
	view := AuditView{
		Nav: state.Nav, Path: state.Path, Clear: state.Path, Filtered: in != models.AuditInput{}, Zone: now.zoneName(),
		Lead:   "Everything done in this team, newest first. Entries are kept for " + state.Keep + " and cannot be changed.",
		CSV:    withQuery(state.Path+AuditCSV, auditQuery(in)),
		JSONL:  withQuery(state.Path+AuditJSONL, auditQuery(in)),
		Action: auditActions(in.Action, state.Choices.Actions),
		Person: auditPersons(in.Person, state.Choices), Application: auditApplications(state),
		From:         dayInput("a-from", AuditFrom, "From", in.From, state.Errors[AuditFrom]),
		To:           dayInput("a-to", AuditTo, "To", in.To, state.Errors[AuditTo]),
		Text:         ui.Input{ID: "a-q", Name: AuditText, Label: "Text", Type: "search", Value: in.Text, Error: state.Errors[AuditText], Autocomplete: "off", MaxLength: "200"},
		Applications: len(state.Choices.Applications) > 0,
		EmptyTitle:   "No entries match", EmptyText: "Change the filter or the dates.",
	}
	if state.Nav != layout.NavAudit {
		view.Lead = "Everything done on this installation outside of a team, newest first. Entries are kept for " + state.Keep + " and cannot be changed."
	}
	switch {
	case list.Total > 0:
		view.EmptyTitle, view.EmptyText, view.PastEnd = "Nothing on this page", "What stood here was deleted after its time.", withQuery(state.Path, auditQuery(in))
	case !view.Filtered:
		view.EmptyTitle, view.EmptyText = "No entries yet", "What is done from now on appears here."
	}
	if state.Chain.LastSeq > 0 {
		view.Head = state.Chain.Head().String()
		view.HeadText = "Up to entry " + models.FormatNumber(state.Chain.LastSeq)
	}
	view.Pager = auditPager(list, state)
	for _, event := range list.Events {
		view.Rows = append(view.Rows, newAuditItem(event, now))
	}
	return view
}

func (v AuditView) title() string {
	if v.Path == AdminAuditPath {
		return "Audit log · Administration"
	}
	return "Audit log"
}

// dayInput keeps what was typed and is no day: a date field would drop it.
func dayInput(id, name, label, value, problem string) ui.Input {
	in := ui.Input{ID: id, Name: name, Label: label, Type: "date", Value: value, Error: problem, Autocomplete: "off"}
	if _, err := time.Parse(time.DateOnly, value); err != nil && value != "" {
		in.Type = "text"
	}
	return in
}

func auditActions(chosen string, actions []models.AuditAction) ui.Dropdown {
	d := ui.Dropdown{ID: "a-action", Name: AuditAction, Label: "Action", Options: []ui.Option{{Text: "All actions"}}}
	known := chosen == ""
	for _, group := range models.AuditGroups {
		part := ui.OptionGroup{Title: group.Title, Options: []ui.Option{{Value: group.Key, Text: group.Title + ": all", Selected: chosen == group.Key}}}
		for _, action := range actions {
			if action.Group() == group.Key {
				part.Options = append(part.Options, ui.Option{Value: string(action), Text: string(action), Selected: chosen == string(action)})
				known = known || chosen == string(action)
			}
		}
		known = known || chosen == group.Key
		if len(part.Options) > 1 || chosen == group.Key {
			d.Groups = append(d.Groups, part)
		}
	}
	if !known {
		d.Options = append(d.Options, ui.Option{Value: chosen, Text: chosen, Selected: true})
	}
	return d
}

func auditPersons(chosen string, choices models.AuditChoices) ui.Dropdown {
	d := ui.Dropdown{ID: "a-person", Name: AuditPerson, Label: "Person", Options: []ui.Option{{Text: "Everyone"}}}
	known := chosen == "" || chosen == models.NoPerson
	persons := slices.SortedFunc(slices.Values(choices.Persons), func(a, b models.AuditPerson) int {
		return strings.Compare(models.FoldName(a.Name)+a.ID, models.FoldName(b.Name)+b.ID)
	})
	for _, person := range persons {
		d.Options = append(d.Options, ui.Option{Value: person.ID, Text: person.Name, Selected: chosen == person.ID})
		known = known || chosen == person.ID
	}
	d.Options = append(d.Options, ui.Option{Value: models.NoPerson, Text: "Nobody signed in", Selected: chosen == models.NoPerson})
	if !known {
		d.Options = append(d.Options, ui.Option{Value: chosen, Text: "Somebody else", Selected: true})
	}
	if choices.MorePersons {
		d.Hint = "Some are left out. Search for their names."
	}
	return d
}

func auditApplications(state AuditState) ui.Dropdown {
	chosen := state.Typed.Application
	d := ui.Dropdown{ID: "a-application", Name: AuditApplication, Label: "Application", Options: []ui.Option{{Text: "All applications"}}}
	known := chosen == ""
	for _, app := range state.Choices.Applications {
		d.Options = append(d.Options, auditApplication(app, chosen))
		known = known || chosen == app.ID
	}
	if !known {
		d.Options = append(d.Options, auditApplication(state.Chosen, chosen))
	}
	if state.Choices.MoreApplications {
		d.Hint = "Some are left out. Search for their names."
	}
	return d
}

func auditApplication(app models.Application, chosen string) ui.Option {
	option := ui.Option{Value: app.ID, Text: app.Name, Selected: app.ID == chosen}
	if !app.DeletedAt.IsZero() {
		option.Text += " (deleted)"
	}
	return option
}

// auditPager leads to what is newer and older than the events shown.
func auditPager(list models.AuditList, state AuditState) ui.Pager {
	if len(list.Events) == 0 {
		return ui.Pager{}
	}
	total := models.FormatNumber(list.Total)
	if list.More {
		total = "more than " + models.FormatNumber(models.CountedEvents)
	}
	last := list.Skipped + int64(len(list.Events))
	pager := ui.Pager{Back: "Newer", On: "Older", Text: "Entries " + models.FormatNumber(list.Skipped+1) + " to " + models.FormatNumber(last) + " of " + total}
	if list.Skipped > models.CountedEvents && list.More {
		pager.Text = models.Count(int64(len(list.Events)), "older match") + " of " + total
	}
	if list.Newer {
		pager.Previous = auditHref(state.Path, state.Typed, AuditAfter, list.Events[0].Place())
	}
	if list.Older {
		pager.Next = auditHref(state.Path, state.Typed, AuditBefore, list.Events[len(list.Events)-1].Place())
	}
	return pager
}
