package handlers

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// form returns the fields that were posted, those of the body alone.
func form(c echo.Context) (url.Values, error) {
	err := c.Request().ParseForm()
	var tooLarge *echo.HTTPError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, echo.NewHTTPError(http.StatusBadRequest).SetInternal(err)
	}
	return c.Request().PostForm, nil
}

// posted returns the fields and the application, one of the team's own, that the path names.
func (h *Handlers) posted(c echo.Context) (url.Values, models.ApplicationDetail, error) {
	fields, err := form(c)
	if err != nil {
		return nil, models.ApplicationDetail{}, err
	}
	app, err := h.ownApplicationOf(c)
	return fields, app, err
}

func applicationForm(fields url.Values) views.ApplicationTyped {
	typed := views.ApplicationTyped{Name: fields.Get("name"), Lifespan: lifespanForm(fields), Scopes: fields["scopes"]}
	if fields.Has(views.PointsPerDayField) {
		points := fields.Get(views.PointsPerDayField)
		typed.PointsPerDay = &points
	}
	return typed
}

func tokenForm(fields url.Values) views.TokenTyped {
	return views.TokenTyped{Name: fields.Get("name"), Lifespan: lifespanForm(fields)}
}

func lifespanForm(fields url.Values) views.LifespanInput {
	return views.LifespanInput{Choice: fields.Get("lifespan"), Custom: fields.Get("custom"), Unit: fields.Get("unit")}
}

// onceOf is the key that makes a form posted twice take effect once: the form's
// own key with all else that was posted, so that another content is another deed.
func onceOf(c echo.Context, fields url.Values) string {
	if fields.Get("once") == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(secrets.Hash(models.NewSecret(c.Request().URL.Path + "?" + fields.Encode())))
}

// fieldErrors splits off the errors that belong beside fields. Any other error
// comes back as the second result.
func fieldErrors(err error) (models.FieldErrors, error) {
	var fields models.FieldErrors
	if errors.As(err, &fields) {
		return fields, nil
	}
	return nil, err
}

// pageNumber reads the page of a list; what is no number is the first page.
func pageNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return max(n, 1)
}
