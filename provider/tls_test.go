package provider_test

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey/latchkey/provider"
)

// C2: off this host the provider speaks TLS 1.2 or newer, with a certificate that the
// system or the operator's file vouches for, and names no address without.
func TestTransport(t *testing.T) {
	for name, test := range map[string]struct {
		newest  uint16
		keys    string // empty for one beside the others
		trusted bool
		works   bool
	}{
		"private CA":          {tls.VersionTLS13, "", true, true},
		"nobody's CA":         {tls.VersionTLS13, "", false, false},
		"TLS 1.2":             {tls.VersionTLS12, "", true, true},
		"TLS 1.1":             {tls.VersionTLS11, "", true, false},
		"keys without TLS":    {tls.VersionTLS13, "http://127.0.0.1/keys", true, false},
		"keys of a file":      {tls.VersionTLS13, "file:///etc/passwd", true, false},
		"keys of another TLS": {tls.VersionTLS13, "https://keys.example/", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				keys := test.keys
				if keys == "" {
					keys = server.URL + "/keys"
				}
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(map[string]string{
					"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token", "jwks_uri": keys,
				})
			}))
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: test.newest}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			settings := provider.Settings{Issuer: server.URL}
			if test.trusted {
				file := filepath.Join(t.TempDir(), "ca.pem")
				text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
				var err error
				if settings.Roots, err = provider.ReadRoots(file); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := provider.New(settings, "https://latchkey.example/back", time.Now).Begin(t.Context(), false)
			if (err == nil) != test.works || err != nil && !errors.Is(err, provider.ErrAway) {
				t.Errorf("%v", err)
			}
		})
	}
}
