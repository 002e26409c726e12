package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// usagePath answers how the token's team stands and what it used.
const usagePath = "/api/usage"

// usageRows is how many rows a table of the answer has; what is beyond is one more.
const usageRows = 200

// How often one token, and all of a team, may ask in a minute: an answer reads a good part
// of the team's counters.
const (
	asksOfToken = 60
	asksOfTeam  = 300
	askWindow   = time.Minute
)

// usageLimits bound what programs ask for.
type usageLimits struct{ tokens, teams *middleware.Limiter }

func newUsageLimits(limiter middleware.Maker) usageLimits {
	every := func(free int, name string) *middleware.Limiter {
		return limiter(name, middleware.Policy{Free: free, Window: askWindow, Size: 1 << 14})
	}
	return usageLimits{tokens: every(asksOfToken, "usage: tokens"), teams: every(asksOfTeam, "usage: teams")}
}

// wait is how long the token has to wait, zero for not at all.
func (l usageLimits) wait(grant tokens.Grant) time.Duration {
	if _, wait := l.tokens.Take(grant.TokenID); wait > 0 {
		return wait
	}
	_, wait := l.teams.Take(grant.TeamID)
	return wait
}

// usageRoutes answers any method, those included that echo has no name for.
func (h *Handler) usageRoutes(e *echo.Echo) {
	e.Any(usagePath, readOnly(h.usage))
	e.RouteNotFound(usagePath, readOnly(h.usage))
}

// readOnly refuses every method but GET and HEAD.
func readOnly(answer echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if method := c.Request().Method; method != http.MethodGet && method != http.MethodHead {
			c.Response().Header().Set(echo.HeaderAllow, "GET, HEAD")
			return echo.ErrMethodNotAllowed
		}
		return answer(c)
	}
}

// usage answers GET /api/usage: the contract's section 7. It charges nothing.
func (h *Handler) usage(c echo.Context) error {
	grant, ok, err := h.bearer(c.Request().Context(), c)
	if err != nil || !ok {
		return err
	}
	if wait := h.limits.wait(grant); wait > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return &Error{http.StatusTooManyRequests, "too_many_requests", "Ask at most 60 times a minute with one token and 300 times with all of a team."}
	}
	h.Verifier.Used(grant, c.RealIP())
	ctx, now := c.Request().Context(), models.At(h.Now())
	standing, err := h.Meter.Standing(ctx, grant.TeamID)
	if err != nil {
		return err
	}
	query, err := parseUsageQuery(c.QueryParams(), standing, now)
	if err != nil {
		return err
	}
	report, err := h.billingPeriod(ctx, grant.TeamID, standing, now)
	if err != nil {
		return err
	}
	if query.asked {
		report.Range = &usageRange{From: moment(query.span.From), To: moment(query.span.To), By: query.by}
		if report.Usage, err = h.usageOf(ctx, grant.TeamID, query); err != nil {
			return err
		}
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, report)
}

// bearer finds out whose token came. Where it is none that is good, the answer is given.
func (h *Handler) bearer(ctx context.Context, c echo.Context) (tokens.Grant, bool, error) {
	value, sent, ok := tokens.Bearer(c.Request().Header.Values(echo.HeaderAuthorization))
	if !ok {
		return tokens.Grant{}, false, h.unauthorized(c, sent)
	}
	grant, err := h.Verifier.Inspect(ctx, value, "")
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		middleware.Annotate(c, "refused", string(refused.Reason))
		return tokens.Grant{}, false, h.unauthorized(c, true)
	}
	return grant, err == nil, err
}

// unauthorized answers 401 as verify and the gateway do; it names an error only where a
// token was sent (RFC 6750 section 3.1).
func (h *Handler) unauthorized(c echo.Context, sent bool) error {
	challenge := `Bearer realm="` + h.Realm + `"`
	if sent {
		challenge += `, error="invalid_token"`
	}
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.String(http.StatusUnauthorized, "Unauthorized")
}

// billingPeriod is the part of the answer that is always there.
func (h *Handler) billingPeriod(ctx context.Context, team string, st models.Standing, now models.Time) (usageReport, error) {
	from, to := st.Period(now)
	span := models.NewUsageSpan(from, min(to, now+1), now)
	byAPI, err := h.Store.Usage(ctx, team, span, models.UsageByAPI, usageRows)
	if err != nil {
		return usageReport{}, err
	}
	byApplication, err := h.Store.Usage(ctx, team, span, models.UsageByApplication, usageRows)
	if err != nil {
		return usageReport{}, err
	}
	total := byAPI.Total()
	report := usageReport{
		AccountID: team, PayerID: team, Status: st.Status(now),
		BillingPeriod: billingPeriod{StartedAt: moment(from), EndedAt: moment(to), Usage: usageFigures{total.Points, total.Requests}},
		ByAPI:         rowsOf(byAPI, apiRow), ByApplication: rowsOf(byApplication, applicationRow),
	}
	if st.HasPlan {
		report.BillingPeriod.PlanName = &st.Plan.Name
		report.BillingPeriod.Limits = limitsOf(st)
		report.BillingPeriod.Usage.Points = st.Used
		report.PointsLeft = &st.Balance
	}
	return report, nil
}

func moment(t models.Time) string { return t.Std().Format(time.RFC3339) }
