package views

import "net/url"

// The pages that say why calls are refused.
const (
	RefusedPath    = "/user/api_v2/refused"
	CheckTokenPath = TokensPath + "/check"
)

// RefusedOfPath is the list of one application.
func RefusedOfPath(id string) string {
	return withQuery(RefusedPath, url.Values{"application": {id}})
}
