package main

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

func parseUpstreams(c *Config, value string) string {
	routes, err := models.ParseUpstreams(value)
	if err != nil {
		return err.Error()
	}
	c.Upstreams = routes
	return ""
}

func parseGatewayHost(c *Config, value string) string {
	u, err := url.Parse("http://" + value)
	if value != "" && (err != nil || u.Host != value || u.Port() != "") {
		return "write a host name without a port, such as api.example.com"
	}
	c.GatewayHost = strings.ToLower(value)
	return ""
}

const minPointsSecret = 16

func parsePointsSecret(c *Config, value string) string {
	if value != "" && len(value) < minPointsSecret {
		return "write at least 16 characters, better 32 random ones"
	}
	c.PointsSecret = models.NewSecret(value)
	return ""
}

// divert hands the gateway its requests, before anything of the pages is added to the answer.
func (w world) divert(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !w.gateway.Owns(c.Request()) {
			return next(c)
		}
		w.gateway.Serve(c.Response(), c.Request(), gateway.Caller{
			Address: c.RealIP(), RequestID: middleware.ID(c), HTTPS: w.https,
			Note: func(key, value string) { middleware.Annotate(c, key, value) },
		})
		return nil
	}
}
