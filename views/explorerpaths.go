package views

import (
	"net/url"

	"github.com/latchkey/latchkey/views/layout"
)

// The pages that try the APIs of the gateway.
const (
	ExplorerPath = layout.ExplorerPath
	// ExplorerCodePath shows a request as code without sending it.
	ExplorerCodePath = ExplorerPath + "/code"
	GraphQLPath      = ExplorerPath + "/graphql"
	GraphQLCodePath  = GraphQLPath + "/code"
	// GraphQLSocketPath answers the address of a WebSocket, with a ticket in it.
	GraphQLSocketPath = GraphQLPath + "/socket"
	PostmanPath       = ExplorerPath + "/postman"
)

// Where on the page the browser goes after a form.
const (
	toAnswer = "#answer"
	toCode   = "#ex-code"
)

// TemporaryToken stands for the reader's own temporary token where one is chosen by its ID.
const TemporaryToken = "temporary"

// explorerAt is the page for a route and a token.
func explorerAt(path, route, token string) string {
	return withQuery(path, url.Values{"route": {route}, "token": {token}})
}
