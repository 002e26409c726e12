package handlers

import "github.com/latchkey/latchkey/views"

// explorerPages try the APIs of the gateway. Sending with the token of an application
// wants a fresh proof of identity too; sendable asks for it, since the temporary token
// does not.
func (h *Handlers) explorerPages() []Route {
	return []Route{
		{get, views.ExplorerPath, manage, h.explorer},
		{post, views.ExplorerPath, manage, h.explore},
		{post, views.ExplorerCodePath, manage, h.explorerCode},
		{get, views.GraphQLPath, manage, h.graphQL},
		{post, views.GraphQLPath, manage, h.queryGraphQL},
		{post, views.GraphQLCodePath, manage, h.graphQLCode},
		{post, views.GraphQLSocketPath, manage, h.openSocket},
		{get, views.PostmanPath, manage, h.postman},
	}
}
