package handlers

import "github.com/latchkey/latchkey/views"

const paramSession = "sid"

// accountPages are what a person does with their own account, in a team or not. Forms
// with a password in them are not Fresh: they prove themselves.
func (h *Handlers) accountPages() []Route {
	freshly := Access{SignedIn: true, Fresh: true}
	return []Route{
		{get, views.ProfilePath, signedIn, h.profile},
		{post, views.ProfilePath, signedIn, h.changeName},
		{post, views.TimeZonePath, signedIn, h.changeTimeZone},
		{post, views.PasswordPath, signedIn, h.changePassword},
		{post, views.EmailPath, signedIn, h.changeEmail},
		{get, views.ConfirmEmailPath, signedIn, h.confirmEmailPage},
		{post, views.ConfirmEmailPath, signedIn, h.confirmEmail},
		{post, views.ProfilePath + "/sessions/:" + paramSession + "/end", freshly, h.endSession},
		{post, views.EndSessionsPath, freshly, h.endSessions},
	}
}
