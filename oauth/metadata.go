package oauth

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// metadata says what is served, and nothing else (RFC 8414 section 2).
type metadata struct {
	Issuer                  string   `json:"issuer"`
	TokenEndpoint           string   `json:"token_endpoint"`
	TokenMethods            []string `json:"token_endpoint_auth_methods_supported"`
	TokenAlgorithms         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpoint   string   `json:"introspection_endpoint"`
	IntrospectionMethods    []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationEndpoint      string   `json:"revocation_endpoint"`
	RevocationMethods       []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	// RevocationFeed is our own: server-sent events for resource servers.
	RevocationFeed       string   `json:"latchkey_revocation_feed_endpoint"`
	GrantTypes           []string `json:"grant_types_supported"`
	ResponseTypes        []string `json:"response_types_supported"`
	Scopes               []string `json:"scopes_supported"`
	ServiceDocumentation string   `json:"service_documentation"`
}

func (h *Handler) metadata(c echo.Context) error {
	methods := []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}
	algorithms := []string{"ES256", "RS256", "PS256", "EdDSA", "Ed25519"}
	return c.JSON(http.StatusOK, metadata{
		Issuer: h.IssuerURL, TokenEndpoint: h.IssuerURL + TokenPath, TokenMethods: methods, TokenAlgorithms: algorithms,
		IntrospectionEndpoint: h.IssuerURL + introspectPath, IntrospectionMethods: methods, IntrospectionAlgorithms: algorithms,
		RevocationEndpoint: h.IssuerURL + revokePath, RevocationMethods: methods, RevocationAlgorithms: algorithms,
		RevocationFeed: h.IssuerURL + revocationsPath,
		GrantTypes:     []string{"client_credentials"}, ResponseTypes: []string{}, Scopes: h.Scopes, ServiceDocumentation: h.DocsURL,
	})
}
