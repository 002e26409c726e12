// Command hello is the bar that bench measures beside: echo and nothing else.
package main

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

func main() {
	e := echo.New()
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "hello") })
	e.Logger.Fatal(e.Start("127.0.0.1:0"))
}
