package views

import (
	"strings"

	"github.com/latchkey/latchkey/models"
)

// AuthenticatorSetup is the page on which an authenticator app is set up.
type AuthenticatorSetup struct {
	QR qrCode
	// Seed is what the app needs, in groups of four letters and digits; Plain is the same in one.
	Seed, Plain models.Secret
	// Address opens an app on the same device.
	Address models.Secret
	Error   string
	// Replaces tells that another app stops working.
	Replaces bool
}

// NewAuthenticatorSetup draws the seed. address is what the QR code says.
func NewAuthenticatorSetup(seed, address models.Secret, replaces bool, problem string) AuthenticatorSetup {
	return AuthenticatorSetup{
		QR: newQRCode(address), Seed: grouped(seed), Plain: seed, Address: address, Replaces: replaces, Error: problem,
	}
}

func grouped(seed models.Secret) models.Secret {
	var groups []string
	for rest := seed.Reveal(); rest != ""; {
		n := min(4, len(rest))
		groups = append(groups, rest[:n])
		rest = rest[n:]
	}
	return models.NewSecret(strings.Join(groups, " "))
}

// What pages say of codes that are not good.
const (
	WrongCode       = "That code is not right. Enter the one that your app shows now."
	UsedCode        = "That code was used already. Wait for the next one."
	WrongSetupCode  = "That code does not fit. Check that the clock of your phone is right, and enter the code that the app shows now."
	WrongRecovery   = "That is not one of your unused recovery codes. Check it and try again."
	PasskeyRefused  = "That passkey was not accepted. Try again or use another way."
	PasskeyNotAdded = "No passkey was added. Try again."
	SignInAgain     = "That took too long, or your account has changed meanwhile. Sign in again."
)

// RecoveryCodesView is the page that shows recovery codes, once.
type RecoveryCodesView struct {
	Lead  string
	Codes models.Secret // one a line
}

// NewRecoveryCodesView shows codes. added says what they come with, empty for nothing.
func NewRecoveryCodesView(codes []models.Secret, added string) RecoveryCodesView {
	lines := make([]string, len(codes))
	for i, code := range codes {
		lines[i] = code.Reveal()
	}
	return RecoveryCodesView{Lead: added, Codes: models.NewSecret(strings.Join(lines, "\n"))}
}
