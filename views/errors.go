package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// ErrorView is the page of every answer that is neither the page asked for nor
// a form with field errors.
type ErrorView struct {
	Code    string
	Heading string
	Text    string
	// RequestID is what to send to whoever runs Latchkey.
	RequestID string
}

type errorText struct{ heading, text string }

var errorTexts = map[int]errorText{
	404: {"Page not found", "The address may be wrong, or the application or token was deleted."},
	405: {"That does not work here", "This address does not take that kind of request. Nothing was changed."},
	408: {"That took too long", "The form did not arrive in time. Nothing was changed. Go back and try again."},
	409: {"It changed in the meantime", "Someone else changed this after you opened the page. Nothing of yours was saved. Go back, load the page again and try once more."},
	413: {"That is too much", "The form holds more than Latchkey takes. Nothing was changed."},
	429: {"Too many requests", "Nothing was changed. Try again in a minute."},
	503: {"Latchkey cannot answer just now", "Its database is busy or away. Nothing was changed. Try again in a minute."},
}

var (
	unclear = errorText{"Latchkey did not understand that", "The request was not complete. Nothing was changed. Go back and try again."}
	failed  = errorText{"Something went wrong", "Try again in a minute. If it keeps failing, send this request ID to whoever runs Latchkey."}
)

// NewErrorView says what the status means. role is the reader's, empty where
// nobody is signed in.
func NewErrorView(status int, role models.Role, requestID string) ErrorView {
	words, known := errorTexts[status]
	switch {
	case status == 403:
		words = forbidden(role)
	case !known && status < 500:
		words = unclear
	case !known:
		words = failed
	}
	return ErrorView{Code: strconv.Itoa(status), Heading: words.heading, Text: words.text, RequestID: requestID}
}

func forbidden(role models.Role) errorText {
	if role == "" {
		return errorText{"You cannot do that", "Sign in with an account that may."}
	}
	return errorText{"You cannot do that", "Your role, " + role.Title() + ", does not allow this. Ask an owner of your team to change your role."}
}

// NewCrossSiteView is the 403 for a form that another site sent.
func NewCrossSiteView(requestID string) ErrorView {
	return ErrorView{
		Code: "403", Heading: "That came from another site",
		Text: "Latchkey takes changes from its own pages only. Nothing was changed.", RequestID: requestID,
	}
}

// NewOperatorsOnlyView is the 403 of Administration.
func NewOperatorsOnlyView(requestID string) ErrorView {
	return ErrorView{Code: "403", Heading: "You cannot do that", Text: "Only operators, who run this installation, see Administration.", RequestID: requestID}
}
