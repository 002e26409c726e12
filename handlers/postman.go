package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
)

// The parts of a Postman collection v2.1.0 that ours has.
type (
	postmanCollection struct {
		Info     postmanInfo   `json:"info"`
		Item     []postmanItem `json:"item"`
		Auth     postmanAuth   `json:"auth"`
		Variable []postmanPair `json:"variable"`
	}
	postmanInfo struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"`
	}
	postmanItem struct {
		Name    string         `json:"name"`
		Request postmanRequest `json:"request"`
		Event   []postmanEvent `json:"event,omitempty"`
	}
	postmanRequest struct {
		Description string        `json:"description,omitempty"`
		Method      string        `json:"method"`
		Auth        *postmanAuth  `json:"auth,omitempty"`
		Header      []postmanPair `json:"header"`
		Body        *postmanBody  `json:"body,omitempty"`
		URL         postmanURL    `json:"url"`
	}
	postmanURL struct {
		Raw  string   `json:"raw"`
		Host []string `json:"host"`
		Path []string `json:"path"`
	}
	postmanAuth struct {
		Type   string        `json:"type"`
		Bearer []postmanPair `json:"bearer,omitempty"`
	}
	postmanPair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
		Type  string `json:"type,omitempty"`
	}
	postmanBody struct {
		Mode       string          `json:"mode"`
		URLEncoded []postmanPair   `json:"urlencoded,omitempty"`
		GraphQL    *postmanGraphQL `json:"graphql,omitempty"`
	}
	postmanGraphQL struct {
		Query     string `json:"query"`
		Variables string `json:"variables"`
	}
	postmanEvent struct {
		Listen string        `json:"listen"`
		Script postmanScript `json:"script"`
	}
	postmanScript struct {
		Type string   `json:"type"`
		Exec []string `json:"exec"`
	}
)

const postmanSchema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// postman is a collection of the token request and each route. It holds no secret: whoever
// imports it fills in the client's.
func (h *Handlers) postman(c echo.Context) error {
	collection := postmanCollection{
		Info: postmanInfo{
			Name: "Latchkey", Schema: postmanSchema,
			Description: "Fill in the variables client_id and client_secret with those of an application, send Get a token, then the others.",
		},
		Auth: postmanAuth{Type: "bearer", Bearer: []postmanPair{{"token", "{{token}}", "string"}}},
		Variable: []postmanPair{
			{"auth_url", h.BaseURL, "string"}, {"api_url", h.apiBase(), "string"},
			{"client_id", "", "string"}, {"client_secret", "", "string"}, {"token", "", "string"},
		},
		Item: []postmanItem{postmanTokenRequest(h.Limits.Scopes)},
	}
	for _, route := range h.Gateway.Routes {
		collection.Item = append(collection.Item, postmanCall(route))
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentSecurityPolicy, middleware.DataPolicy)
	header.Set(echo.HeaderContentDisposition, `attachment; filename="latchkey.postman_collection.json"`)
	return c.JSONPretty(http.StatusOK, collection, "  ")
}

func postmanTokenRequest(scopes []string) postmanItem {
	return postmanItem{
		Name: "Get a token",
		Request: postmanRequest{
			Method: http.MethodPost, Auth: &postmanAuth{Type: "noauth"}, Header: []postmanPair{}, URL: postmanAt("{{auth_url}}", "/oauth2/token"),
			Body: &postmanBody{Mode: "urlencoded", URLEncoded: []postmanPair{
				{"grant_type", "client_credentials", "text"}, {"client_id", "{{client_id}}", "text"},
				{"client_secret", "{{client_secret}}", "text"}, {"scope", scopes[0], "text"},
			}},
		},
		Event: []postmanEvent{{Listen: "test", Script: postmanScript{
			Type: "text/javascript", Exec: []string{`pm.collectionVariables.set("token", pm.response.json().access_token);`},
		}}},
	}
}

func postmanCall(route models.Upstream) postmanItem {
	item := postmanItem{Name: "API " + route.API + ", " + route.Path, Request: postmanRequest{
		Description: "Each call costs " + models.Count(route.Cost, "point") + ", unless the API says otherwise.",
		Method:      http.MethodGet, Header: []postmanPair{{"Accept", "application/json", "text"}}, URL: postmanAt("{{api_url}}", route.Path),
	}}
	if route.GraphQL {
		item.Request.Method = http.MethodPost
		item.Request.Body = &postmanBody{Mode: "graphql", GraphQL: &postmanGraphQL{Query: "{ __typename }"}}
	}
	return item
}

func postmanAt(host, path string) postmanURL {
	escaped := (&url.URL{Path: path}).EscapedPath()
	return postmanURL{Raw: host + escaped, Host: []string{host}, Path: strings.Split(strings.Trim(escaped, "/"), "/")}
}
