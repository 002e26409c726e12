package models

// Client is who calls an OAuth endpoint: an application, or a resource server
// that asks about tokens. One of the two is set.
type Client struct {
	ClientID        string
	Application     Application
	TeamSuspendedAt Time
	ResourceServer  ResourceServer
	Proofs
}

// Proofs is what a client may prove itself by. A secret that has ended may be among
// them: ask Good.
type Proofs struct {
	Secrets []ClientSecret
	Keys    []ClientKey
}

// IsResourceServer tells which of the two it is.
func (c Client) IsResourceServer() bool { return c.ResourceServer.ID != "" }

// Enabled tells whether the client may use the endpoints.
func (c Client) Enabled() bool {
	return c.IsResourceServer() || c.Application.Enabled() && c.TeamSuspendedAt.IsZero()
}

// MaxClientKeys is how many public keys an application may have.
const MaxClientKeys = 5

// ClientKey is a public key by which an application proves who it is, instead of
// or beside its secret (RFC 7523).
type ClientKey struct {
	ID            string `gorm:"primaryKey"`
	ApplicationID string
	TeamID        string
	Name          string
	NameKey       string
	// JWK is the public key (RFC 7517).
	JWK string `gorm:"column:jwk"`
	// Thumbprint is that of RFC 7638, by which people compare keys.
	Thumbprint string
	// Description says what kind of key it is: "RSA, 2048 bits".
	Description string
	CreatedAt   Time `gorm:"autoCreateTime:false"`
	CreatedBy   string
	LastUsedAt  Time
}

// ClientKeyRow is a public key as the page of its application lists it.
type ClientKeyRow struct {
	ClientKey     `gorm:"embedded"`
	CreatedByName string
}

// ResourceServer is an API that asks whether a token is good, whichever team's.
type ResourceServer struct {
	ID       string `gorm:"primaryKey"`
	Name     string
	NameKey  string
	ClientID string
	// Hash is the SHA-256 of the client secret, which is shown once.
	Hash       []byte
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastUsedAt Time
}

// CredentialKind says which table a credential is a row of.
type CredentialKind string

// The kinds of credential that are noted when used.
const (
	CredentialSecret         CredentialKind = "client secret"
	CredentialKey            CredentialKind = "client key"
	CredentialResourceServer CredentialKind = "resource server"
)

// CredentialUse says that a client proved itself. ApplicationID is empty for a
// resource server.
type CredentialUse struct {
	Kind          CredentialKind
	ID            string
	ApplicationID string
	At            Time
}

// Notice says what has changed, so that caches forget it.
type Notice struct {
	// TokenHash and TokenID name a token.
	TokenHash []byte
	TokenID   string
	// ApplicationID and ClientID name an application, its secrets and keys. A
	// resource server has a ClientID alone.
	ApplicationID string
	ClientID      string
	// TeamID names a team whose plan or points changed, with TeamTokens one whose tokens are
	// all good or refused from now on.
	TeamID     string
	TeamTokens bool
	// Everything says that nothing is as it was, of no team.
	Everything bool
}
