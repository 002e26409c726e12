// Package views holds the pages: for each one a template that says where
// things stand, and a Go file that decides what they say. A template takes the
// shell's layout.Page and its own flat view model; formats, plurals and who
// may see which button are settled in the view model's constructor.
package views

import (
	"net/url"

	"github.com/latchkey/latchkey/views/layout"
)

// The pages that do not belong to one application.
const (
	ApplicationsPath   = layout.ApplicationsPath
	NewApplicationPath = ApplicationsPath + "/new"
	TokensPath         = layout.TokensPath
	// RevealTemporaryPath answers the value of the reader's temporary token, which it makes
	// where there is none; ReplaceTemporaryPath ends it.
	RevealTemporaryPath  = TokensPath + "/temporary/reveal"
	ReplaceTemporaryPath = TokensPath + "/temporary/replace"
	DocsPath             = layout.DocsPath
	SetupPath            = "/setup"
	LoginPath            = layout.LoginPath
	LogoutPath           = layout.LogoutPath
	ThemePath            = layout.ThemePath
	ConfirmPath          = "/confirm"

	ProfilePath      = layout.ProfilePath
	EmailPath        = ProfilePath + "/email"
	ConfirmEmailPath = EmailPath + "/confirm"
	PasswordPath     = ProfilePath + "/password"
	TimeZonePath     = ProfilePath + "/time-zone"
	EndSessionsPath  = ProfilePath + "/sessions/end"
)

// EndSessionPath ends one session of the reader.
func EndSessionPath(ref string) string {
	return ProfilePath + "/sessions/" + url.PathEscape(ref) + "/end"
}

// ApplicationPath is the page of one application; posting to it saves an edit.
func ApplicationPath(id string) string { return ApplicationsPath + "/" + url.PathEscape(id) }

// EditApplicationPath is the form for its name and lifespan.
func EditApplicationPath(id string) string { return ApplicationPath(id) + "/edit" }

// RevokeTokensPath revokes all its active tokens.
func RevokeTokensPath(id string) string { return ApplicationPath(id) + "/revoke" }

// DeleteApplicationPath deletes it.
func DeleteApplicationPath(id string) string { return ApplicationPath(id) + "/delete" }

// SwitchOffPath makes its tokens refused until SwitchOnPath.
func SwitchOffPath(id string) string { return ApplicationPath(id) + "/disable" }

// SwitchOnPath undoes SwitchOffPath. There is no page behind it, only the form.
func SwitchOnPath(id string) string { return ApplicationPath(id) + "/enable" }

// RotateSecretPath gives it a new client secret.
func RotateSecretPath(id string) string { return ApplicationPath(id) + "/secret" }

// RetireSecretPath ends the old secret at once.
func RetireSecretPath(id string) string { return RotateSecretPath(id) + "/retire" }

// RevealSecretPath answers the client secret.
func RevealSecretPath(id string) string { return RotateSecretPath(id) + "/reveal" }

// RemoveSecretPath leaves it with its public keys alone.
func RemoveSecretPath(id string) string { return RotateSecretPath(id) + "/remove" }

// ClientKeysPath is the form Add public key.
func ClientKeysPath(id string) string { return ApplicationPath(id) + "/keys" }

// RemoveClientKeyPath ends one public key.
func RemoveClientKeyPath(id, key string) string {
	return ClientKeysPath(id) + "/" + url.PathEscape(key) + "/remove"
}

// GenerateTokenPath is the form Generate New Token.
func GenerateTokenPath(id string) string { return ApplicationPath(id) + "/tokens" }

// RevealTokenPath answers the value of one token.
func RevealTokenPath(id, token string) string { return tokenPath(id, token) + "/reveal" }

// RevokeTokenPath revokes one token.
func RevokeTokenPath(id, token string) string { return tokenPath(id, token) + "/revoke" }

func tokenPath(id, token string) string {
	return GenerateTokenPath(id) + "/" + url.PathEscape(token)
}

// TokensOfPath is the Tokens page with one application chosen.
func TokensOfPath(id string) string { return TokensPath + "?application=" + url.QueryEscape(id) }

// withQuery adds what differs from the page's plain state.
func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// The pages around second factors and passkeys.
const (
	SecondFactorPath         = layout.ProfilePath + "/second-factor"
	AuthenticatorPath        = SecondFactorPath + "/app"
	ConfirmAuthenticatorPath = AuthenticatorPath + "/confirm"
	RemoveAuthenticatorPath  = AuthenticatorPath + "/remove"
	RecoveryCodesPath        = SecondFactorPath + "/recovery-codes"
	PasskeysPath             = SecondFactorPath + "/passkeys"
	TeamSecondFactorPath     = layout.TeamPath + "/second-factor"
	SecondStepPath           = LoginPath + "/second-factor"
	LoginPasskeyPath         = LoginPath + "/passkey"
	ConfirmPasskeyPath       = ConfirmPath + "/passkey"
	// OptionsPath under each of those that take a passkey answers what to ask the browser for.
	OptionsPath = "/options"
)

// RemovePasskeyPath takes one passkey away.
func RemovePasskeyPath(id string) string { return PasskeysPath + "/" + url.PathEscape(id) + "/remove" }
