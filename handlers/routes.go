package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/static"
	"github.com/latchkey/latchkey/views"
)

// Access says who may come through a route.
type Access struct {
	// Public routes are open to everyone, SignedIn ones to all who are signed in, in a
	// team or not, Operator ones to those who run this installation; May counts on all others.
	Public, SignedIn, Operator bool
	May                        models.Permission
	// Fresh routes want a proof of identity that is not older than freshFor.
	Fresh bool
	// Enrolling routes are also open to those who must first set up a second factor.
	Enrolling bool
}

// allows tells whether somebody who is signed in may come through.
func (a Access) allows(actor models.Actor) bool {
	if a.Operator {
		return actor.Operator
	}
	return a.SignedIn || actor.Role.May(a.May)
}

// Route is one row of the table of pages.
type Route struct {
	Method, Path string
	Access
	handle echo.HandlerFunc
}

// Parameters of the paths below.
const (
	paramApplication = "id"
	paramToken       = "tid"
	paramKey         = "kid"
)

// What routes ask for.
var (
	public   = Access{Public: true}
	signedIn = Access{SignedIn: true}
	view     = Access{May: models.MayView}
	manage   = Access{May: models.MayManage}
	fresh    = Access{May: models.MayManage, Fresh: true}
	reveal   = Access{May: models.MayReveal, Fresh: true}
)

const get, post = http.MethodGet, http.MethodPost

// Table is every page: method, path, who may, and what answers.
func (h *Handlers) Table() []Route {
	return slices.Concat(
		h.gatePages(),
		h.applicationPages(),
		h.accountPages(),
		h.peoplePages(),
		h.factorPages(),
		h.auditPages(),
		h.resetPages(),
		h.adminPages(),
		h.providerPages(),
		h.warningPages(),
		h.temporaryPages(),
		h.refusalPages(),
		h.explorerPages(),
		h.usagePages(),
		h.planPages(),
	)
}

// gatePages lead in and out, and are open to all.
func (h *Handlers) gatePages() []Route {
	return []Route{
		{get, "/", public, h.home},
		{get, views.SetupPath, public, h.setupPage},
		{post, views.SetupPath, public, h.setup},
		{get, views.LoginPath, public, h.loginPage},
		{post, views.LoginPath, public, h.login},
		{post, views.LogoutPath, public, h.logout},
		{post, views.ThemePath, public, h.theme},
		{get, views.DocsPath, public, h.docs},
		{get, views.ConfirmPath, enrolling, h.confirmPage},
		{post, views.ConfirmPath, enrolling, h.confirm},
	}
}

func (h *Handlers) applicationPages() []Route {
	const (
		apps   = views.ApplicationsPath
		app    = apps + "/:" + paramApplication
		secret = app + "/secret"
		keys   = app + "/keys"
		key    = keys + "/:" + paramKey
		tokens = app + "/tokens"
		token  = tokens + "/:" + paramToken
	)
	return []Route{
		{get, apps, view, h.applications},
		{post, apps, manage, h.createApplication},
		{get, views.NewApplicationPath, manage, h.newApplication},
		{get, app, view, h.application},
		{post, app, manage, h.changeApplication},
		{get, app + "/edit", manage, h.editApplication},
		{get, app + "/revoke", manage, h.revokeAllPage},
		{post, app + "/revoke", manage, h.revokeAll},
		{get, app + "/delete", fresh, h.deletePage},
		{post, app + "/delete", fresh, h.deleteApplication},
		{get, app + "/disable", manage, h.switchOffPage},
		{post, app + "/disable", manage, h.switchOff},
		{post, app + "/enable", manage, h.switchOn},

		{get, secret, fresh, h.rotatePage},
		{post, secret, fresh, h.rotate},
		{get, secret + "/retire", manage, h.retirePage},
		{post, secret + "/retire", manage, h.retire},
		{post, secret + "/reveal", reveal, h.revealSecret},
		{get, secret + "/remove", fresh, h.removeSecretPage},
		{post, secret + "/remove", fresh, h.removeSecret},

		{get, keys, fresh, h.addKeyPage},
		{post, keys, fresh, h.addKey},
		// Not Fresh: a key that others have got hold of has to go at once.
		{get, key + "/remove", manage, h.removeKeyPage},
		{post, key + "/remove", manage, h.removeKey},

		{get, tokens, manage, h.generatePage},
		{post, tokens, manage, h.generate},
		{get, token + "/revoke", manage, h.revokeTokenPage},
		{post, token + "/revoke", manage, h.revokeToken},
		{post, token + "/reveal", reveal, h.revealToken},
		{get, views.TokensPath, view, h.tokens},
	}
}

// Routes adds the pages and the static files to e.
func (h *Handlers) Routes(e *echo.Echo) {
	h.router = e.Router()
	files := echo.WrapHandler(static.Handler())
	e.GET(static.Prefix+"*", files)
	e.HEAD(static.Prefix+"*", files)

	h.rows = map[string]Route{}
	passed := []echo.MiddlewareFunc{pageHeaders, echomiddleware.BodyLimit("64KiB"), sameSite(), compress()}
	for _, route := range h.Table() {
		answer := guarded{h, route.Access, route.handle}.answer
		e.Add(route.Method, route.Path, answer, passed...)
		h.rows[route.Method+" "+route.Path] = route
		if route.Method == http.MethodGet {
			e.HEAD(route.Path, answer, passed...)
		}
	}
}

func pageHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// sameSite refuses changes that another site's page sends. It covers every page
// and has no exception.
func sameSite() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return ErrCrossSite
			}
			return next(c)
		}
	}
}
