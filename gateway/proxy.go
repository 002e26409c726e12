package gateway

import (
	"net/http"
	"net/http/httputil"

	"github.com/latchkey/latchkey/models"
)

func (g *Gateway) newProxy(route models.Upstream) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(route.Target)
		p.Out.Header.Del("Authorization")
	}}
}
