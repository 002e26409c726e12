package gateway

import (
	"log/slog"
	"net/http"
	"net/http/httputil"

	"github.com/latchkey/latchkey/models"
)

func (g *Gateway) newProxy(route models.Upstream) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(route.Target)
			p.Out.Header.Del("Authorization")
		},
		ErrorLog:       slog.NewLogLogger(g.Log.Handler(), slog.LevelDebug),
		ModifyResponse: answering,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !g.endedHere(w, r, err) {
				http.Error(w, "Bad Gateway", http.StatusBadGateway)
			}
		},
	}
}
