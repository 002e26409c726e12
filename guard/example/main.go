// This program is an API whose calls need an access token of Latchkey. docs/guard.md says
// how to try it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/latchkey/latchkey/guard"
)

func main() {
	if err := run(); err != nil {
		slog.Error("the API ended", "error", err)
		os.Exit(1)
	}
}

func run() error {
	g, err := guard.New(guard.Config{
		BaseURL:  os.Getenv("LATCHKEY_URL"),
		ClientID: os.Getenv("LATCHKEY_CLIENT_ID"), ClientSecret: os.Getenv("LATCHKEY_CLIENT_SECRET"),
	})
	if err != nil {
		return err
	}
	defer g.Close()
	address := os.Getenv("ADDR")
	if address == "" {
		address = "127.0.0.1:9000"
	}
	server := &http.Server{Handler: routes(g), ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	slog.Info("the API listens", "address", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// routes asks for a good token everywhere, and for a scope where something is changed.
func routes(g *guard.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", list)
	mux.Handle("POST /orders", g.Require("orders")(http.HandlerFunc(list)))
	return g.Middleware(mux)
}

func list(w http.ResponseWriter, r *http.Request) {
	token, _ := guard.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"orders": []string{}, "asked_by": token.ClientID, "team": token.Team, "scope": token.Scope})
}
