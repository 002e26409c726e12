package views

import (
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

// providerGoldens are the pages of sign-in by an OpenID provider.
func providerGoldens() map[string]templ.Component {
	in, out := pageOf(models.RoleViewer), signedOutPage()
	const name = "Example ID"
	button := ProviderSignIn{Name: name, Next: TokensPath, Deed: "d1"}
	identity := &models.Identity{Email: "ana@northwind.example", CreatedAt: before(90 * 24 * time.Hour), LastUsedAt: before(time.Hour)}
	hostile := *identity
	hostile.Email = hostileNames[0]
	problem := func(trouble ProviderTrouble, back string) ProviderProblem {
		return NewProviderProblem(trouble, name, "01JDC7M4Q9XK2V8E", back)
	}
	all := map[string]templ.Component{
		"login-provider":                Login(out, LoginForm{Next: TokensPath, Provider: button}),
		"login-provider-hostile":        Login(out, LoginForm{Provider: ProviderSignIn{Name: hostileNames[0]}}),
		"login-link-first":              Login(out, LoginForm{Next: ProviderLinkPath, Notice: LinkFirst(name)}),
		"confirm-provider":              ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Deed: "d1", Provider: button}),
		"confirm-provider-alone":        ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Provider: button, NoPassword: true}),
		"provider-departure":            GoToProvider(out, ProviderDeparture{Name: name, Address: "https://id.example/authorize?client_id=latchkey&scope=openid+email"}),
		"provider-departure-script":     GoToProvider(out, ProviderDeparture{Name: name, Address: "javascript:alert(1)"}),
		"provider":                      Provider(in, NewProviderCard(name, nil, 1, clock)),
		"provider-linked":               Provider(in, NewProviderCard(name, identity, 2, clock)),
		"provider-only-way":             Provider(flashed(in, "Example ID was linked."), NewProviderCard(hostileNames[2], &hostile, 1, clock)),
		"provider-link":                 LinkProvider(in, ConfirmProviderLink{Name: name, There: "Ana@northwind.example", Here: "ana@northwind.example", Back: TokensPath}),
		"provider-unlink":               UnlinkProvider(in, ConfirmProviderUnlink{Name: name, Email: "ana@northwind.example"}),
		"provider-unlink-only-way":      UnlinkProvider(in, ConfirmProviderUnlink{Name: name, Email: "ana@northwind.example", Error: "This is your only way in. Add another one first."}),
		"provider-refused-signed-in":    ProviderFailed(in, problem(ProviderRefused, TokensPath)),
		"provider-not-fresh-signed-in":  ProviderFailed(in, problem(ProviderNotFresh, TokensPath)),
		"provider-other-email-in":       ProviderFailed(in, problem(ProviderOtherEmail, ProviderPath)),
		"provider-other-identity-in":    ProviderFailed(in, problem(ProviderOther, TokensPath)),
		"provider-taken-signed-in":      ProviderFailed(in, problem(ProviderTaken, ProviderPath)),
		"provider-out-of-date-in":       ProviderFailed(in, problem(ProviderOutOfDate, LoginPath)),
		"provider-away-while-signed-in": ProviderFailed(in, problem(ProviderAway, TokensPath)),
	}
	for name, trouble := range map[string]ProviderTrouble{
		"provider-away": ProviderAway, "provider-out-of-date": ProviderOutOfDate, "provider-declined": ProviderDeclined, "provider-refused": ProviderRefused, "provider-busy": ProviderBusy,
		"provider-no-email": ProviderNoEmail, "provider-no-account": ProviderNoAccount, "provider-no-team": ProviderNoTeam, "provider-disabled": ProviderDisabled,
	} {
		all[name] = ProviderFailed(out, problem(trouble, LoginPath))
	}
	return all
}
