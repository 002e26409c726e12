package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// ErrorView is the page of every answer that is neither the page asked for nor
// a form with field errors.
type ErrorView struct {
	Code      string
	Heading   string
	Text      string
	RequestID string
}

// NewErrorView says what the status means. role is the reader's, empty where
// nobody is signed in; requestID is shown where it helps.
func NewErrorView(status int, role models.Role, requestID string) ErrorView {
	view := ErrorView{Code: strconv.Itoa(status)}
	switch status {
	case 403:
		view.Heading = "You cannot do that"
		view.Text = "Your role, " + role.Title() + ", does not allow this. Ask an owner of your team to change your role."
		if role == "" {
			view.Text = "Sign in with an account that may."
		}
	case 404:
		view.Heading = "Page not found"
		view.Text = "The address may be wrong, or the application or token was deleted."
	case 405:
		view.Heading = "That does not work here"
		view.Text = "This address does not take that kind of request. Nothing was changed."
	case 409:
		view.Heading = "It changed in the meantime"
		view.Text = "Someone else changed this after you opened the page. Nothing of yours was saved. Go back, load the page again and try once more."
	case 413:
		view.Heading = "That is too much"
		view.Text = "The form holds more than Latchkey takes. Nothing was changed."
	case 429:
		view.Heading = "Too many requests"
		view.Text = "Nothing was changed. Try again in a minute."
	case 503:
		view.Heading = "Latchkey cannot answer just now"
		view.Text = "Its database is busy or away. Nothing was changed. Try again in a minute."
		view.RequestID = requestID
	default:
		return view.other(status, requestID)
	}
	return view
}

// NewCrossSiteView is the 403 for a form that another site sent.
func NewCrossSiteView() ErrorView {
	return ErrorView{Code: "403", Heading: "That came from another site", Text: "Latchkey takes changes from its own pages only. Nothing was changed."}
}

func (v ErrorView) other(status int, requestID string) ErrorView {
	if status < 500 {
		v.Heading = "Latchkey did not understand that"
		v.Text = "The request was not complete. Nothing was changed. Go back and try again."
		return v
	}
	v.Heading = "Something went wrong"
	v.Text = "Try again in a minute. If it keeps failing, send this request ID to whoever runs Latchkey."
	v.RequestID = requestID
	return v
}
