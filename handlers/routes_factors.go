package handlers

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

const paramPasskey = "passkey"

// What the rows below ask for. Those that are enrolling are open to people who must
// first set up a second factor.
var (
	enrolling      = signedIn.whileEnrolling()
	freshEnrolling = Access{SignedIn: true, Fresh: true}.whileEnrolling()
	freshOwner     = Access{May: models.MayOwn, Fresh: true}
)

func (a Access) whileEnrolling() Access {
	a.Enrolling = true
	return a
}

// factorPages are the second step of signing in, passkeys, and what a person sets up.
func (h *Handlers) factorPages() []Route {
	const passkey = views.PasskeysPath + "/:" + paramPasskey
	return []Route{
		{get, views.SecondStepPath, public, h.secondStepPage},
		{post, views.SecondStepPath, public, h.secondStep},
		{post, views.SecondStepPath + views.OptionsPath, public, h.passkeySecondOptions},
		{post, views.LoginPasskeyPath, public, h.passkeySignIn},
		{post, views.LoginPasskeyPath + views.OptionsPath, public, h.passkeySignInOptions},
		{post, views.ConfirmPasskeyPath, enrolling, h.passkeyProof},
		{post, views.ConfirmPasskeyPath + views.OptionsPath, enrolling, h.passkeyProofOptions},

		{get, views.SecondFactorPath, enrolling, h.secondFactorPage},
		{post, views.AuthenticatorPath, freshEnrolling, h.setUpAuthenticator},
		{post, views.ConfirmAuthenticatorPath, enrolling, h.confirmAuthenticator},
		{get, views.RemoveAuthenticatorPath, freshEnrolling, h.removeAuthenticatorPage},
		{post, views.RemoveAuthenticatorPath, freshEnrolling, h.removeAuthenticator},
		{get, views.RecoveryCodesPath, freshEnrolling, h.recoveryCodesPage},
		{post, views.RecoveryCodesPath, freshEnrolling, h.makeRecoveryCodes},
		{post, views.PasskeysPath, freshEnrolling, h.addPasskey},
		{post, views.PasskeysPath + views.OptionsPath, freshEnrolling, h.newPasskeyOptions},
		{get, passkey + "/remove", freshEnrolling, h.removePasskeyPage},
		{post, passkey + "/remove", freshEnrolling, h.removePasskey},

		{get, views.TeamSecondFactorPath, freshOwner, h.teamSecondFactorPage},
		{post, views.TeamSecondFactorPath, freshOwner, h.setTeamSecondFactor},
	}
}
