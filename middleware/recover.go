package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// PanicError is a panic turned into an error. Its text holds the type of what
// was thrown and not the value, which may quote anything.
type PanicError struct {
	Thrown string
	Stack  []byte
}

func (e PanicError) Error() string { return "panic of " + e.Thrown + "\n" + string(e.Stack) }

// Recover ends a panic as an internal error of this request alone.
func Recover() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				thrown := recover()
				if thrown == nil {
					return
				}
				if cause, ok := thrown.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
					panic(thrown)
				}
				err = PanicError{Thrown: fmt.Sprintf("%T", thrown), Stack: debug.Stack()}
			}()
			return next(c)
		}
	}
}
