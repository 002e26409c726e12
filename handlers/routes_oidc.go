package handlers

import "github.com/latchkey/latchkey/views"

// providerPages are sign-in by the OpenID provider, and the link of an account to it.
func (h *Handlers) providerPages() []Route {
	own := Access{SignedIn: true, Fresh: true}
	return []Route{
		{post, views.ProviderSignInPath, public, h.signInByProvider},
		// The one GET that changes something: OpenID Connect has it so. The browser's cookie
		// and the state in the address say that it was begun here by a click.
		{get, views.ProviderCallbackPath, public, h.providerCallback},
		{get, views.ProviderLinkPath, signedIn, h.linkProviderPage},
		{post, views.ProviderLinkPath, own, h.linkProvider},
		// As enrolling as the other proofs: an account may have no other.
		{post, views.ProviderConfirmPath, enrolling, h.confirmByProvider},
		{get, views.ProviderPath, signedIn, h.providerPage},
		{post, views.ProviderBeginPath, own, h.beginProviderLink},
		{get, views.ProviderUnlinkPath, own, h.unlinkProviderPage},
		{post, views.ProviderUnlinkPath, own, h.unlinkProvider},
	}
}
