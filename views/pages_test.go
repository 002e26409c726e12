package views

import (
	"maps"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

// goldens are all pages in all states.
func goldens() map[string]templ.Component {
	all := map[string]templ.Component{}
	for _, some := range []map[string]templ.Component{
		gateGoldens(), applicationsGoldens(), formGoldens(), applicationGoldens(), confirmGoldens(), keyGoldens(), tokensGoldens(), auditGoldens(), otherGoldens(),
		accountGoldens(),
		teamGoldens(), wayInGoldens(), factorGoldens(), adminGoldens(), providerGoldens(), warningGoldens(), temporaryGoldens(),
		planGoldens(), explorerGoldens(), refusedGoldens(), usageGoldens(), streamGoldens(),
	} {
		maps.Copy(all, some)
	}
	return all
}

func gateGoldens() map[string]templ.Component {
	out := signedOutPage()
	dark := out
	dark.Theme = "dark"
	wrong := models.AccountInput{Name: "Ana Ruiz", Email: "ana", Team: hostileNames[0]}
	errs := models.FieldErrors{"name": "Enter a name.", "email": "Enter an email address such as ana@example.com.", "password": "Use at least 12 characters.", "team": "Use at most 64 characters."}
	return map[string]templ.Component{
		"setup":            Setup(out, NewSetupForm("kQ3v", models.AccountInput{}, nil)),
		"setup-errors":     Setup(out, NewSetupForm("kQ3v", wrong, errs)),
		"setup-no-code":    SetupNeedsCode(out, SetupClosed{}),
		"setup-wrong-code": SetupNeedsCode(out, SetupClosed{Wrong: true}),
		"login":            Login(out, LoginForm{Next: TokensPath}),
		"login-dark":       Login(dark, LoginForm{}),
		"login-wrong":      Login(out, LoginForm{Email: "ana@northwind.example", Error: WrongCredentials}),
		"login-too-many":   Login(out, LoginForm{Email: "ana@northwind.example", Error: TooManyAttempts(5 * time.Minute)}),
		"login-signed-out": Login(out, LoginForm{Notice: SignedOut}),
	}
}

func applicationsGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	list := func(list models.ApplicationList, query models.ApplicationQuery, role models.Role) ApplicationsList {
		return NewApplicationsList(list, query, models.Attention{}, role, clock)
	}
	return map[string]templ.Component{
		"applications":              Applications(owner, list(applicationList(), models.ApplicationQuery{Page: 1}, owner.Role)),
		"applications-flash":        Applications(flashed(owner, "Staging was deleted."), list(applicationList(), models.ApplicationQuery{Page: 1, Desc: true}, owner.Role)),
		"applications-empty":        Applications(owner, list(models.ApplicationList{}, models.ApplicationQuery{Page: 1}, owner.Role)),
		"applications-empty-viewer": Applications(viewer, list(models.ApplicationList{}, models.ApplicationQuery{Page: 1}, viewer.Role)),
		"applications-no-match":     Applications(owner, list(models.ApplicationList{}, models.ApplicationQuery{Search: `"><b>`, Page: 1}, owner.Role)),
		"applications-viewer":       Applications(viewer, list(applicationList(), models.ApplicationQuery{Page: 1}, viewer.Role)),
		"applications-page-2":       Applications(owner, list(longList(2), models.ApplicationQuery{Search: "worker & co", Sort: models.SortLastUsed, Desc: true, Page: 2}, owner.Role)),
		"applications-past-end":     Applications(owner, list(models.ApplicationList{Total: 3}, models.ApplicationQuery{Page: 9}, owner.Role)),
		"applications-hostile":      Applications(owner, list(hostileList(), models.ApplicationQuery{Page: 1}, owner.Role)),
	}
}

func formGoldens() map[string]templ.Component {
	page := pageOf(models.RoleDeveloper)
	custom := LifespanInput{Choice: "custom", Custom: "1e9", Unit: "86400"}
	typed := ApplicationTyped{Name: hostileNames[0], Lifespan: custom, Scopes: []string{"trade"}}
	errs := models.FieldErrors{"name": "Your team already has an application called Trading bot. Choose another name.", "lifespan": "Choose between 1 minute and 1 year.", "scopes": "Choose from the scopes shown."}
	badPreset := ApplicationTyped{Lifespan: LifespanInput{Choice: "86400"}}
	app := detail().Application
	return map[string]templ.Component{
		"new-application":               NewApplication(page, NewNewApplication(ApplicationTyped{}, limits, nil, "once-1")),
		"new-application-scopes":        NewApplication(page, NewNewApplication(ApplicationTyped{}, twoScopes, nil, "once-1")),
		"new-application-errors":        NewApplication(page, NewNewApplication(typed, twoScopes, errs, "once-1")),
		"new-application-preset-errors": NewApplication(page, NewNewApplication(badPreset, limits, models.FieldErrors{"name": "Enter a name.", "lifespan": errs["lifespan"]}, "once-1")),
		"edit-application":              EditApplication(page, NewEditApplication(detail(), nil, limits, nil, false, clock)),
		"edit-application-errors":       EditApplication(page, NewEditApplication(detail(), &typed, twoScopes, errs, false, clock)),
		"edit-application-conflict":     EditApplication(page, NewEditApplication(detail(), &ApplicationTyped{Name: "Trader", Lifespan: LifespanOf(86400, limits.MaxLifespan)}, twoScopes, nil, true, clock)),
		"generate-token":                GenerateToken(page, NewGenerateTokenForm(app, TokenTyped{}, nil, "once-2", "")),
		"generate-token-errors":         GenerateToken(page, NewGenerateTokenForm(app, TokenTyped{Name: "x", Lifespan: custom}, errs, "once-2", FromTokens)),
	}
}

func applicationGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	view := func(app models.ApplicationDetail, tokens models.TokenList, state TokensState) ApplicationView {
		view := NewApplicationView(app, tokens, state, baseURL, limits.Scopes, clock)
		view.Activity = NewActivityCard(appID, auditEvents(), clock)
		return view
	}
	asOwner, asViewer := TokensState{Role: owner.Role, Seen: seen()}, TokensState{Role: viewer.Role, Seen: seen()}
	created := asOwner
	created.Created = &activeTokenList().Rows[1]
	ended := asOwner
	ended.Query.Ended = true
	secretShown := TokensState{Role: owner.Role, Revealed: Revealed{SecretID: "s2", Value: models.NewSecret(exampleValue)}}
	tokenShown := TokensState{Role: owner.Role, Query: models.TokenQuery{Ended: true, Page: 1}, Revealed: Revealed{TokenID: "k1", Value: models.NewSecret(exampleValue)}}
	off := detail()
	off.DisabledAt = before(90 * time.Minute)
	hostile, scoped := detail(), detail()
	hostile.Name, hostile.CreatedByName = hostileNames[5], hostileNames[0]
	scoped.Scopes = "api trade"
	return map[string]templ.Component{
		"application":              Application(owner, view(detail(), activeTokenList(), asOwner)),
		"application-flash":        Application(flashed(owner, "The client secret was rotated."), view(detailWithOldSecret(), activeTokenList(), asOwner)),
		"application-generated":    Application(owner, view(detail(), activeTokenList(), created)),
		"application-ended":        Application(owner, view(detail(), endedTokenList(), ended)),
		"application-no-tokens":    Application(owner, view(detail(), models.TokenList{}, asOwner)),
		"application-many-tokens":  Application(owner, view(detail(), manyTokenList(), TokensState{Role: owner.Role, Query: models.TokenQuery{Page: 2, Ended: true}})),
		"application-past-end":     Application(owner, view(detail(), models.TokenList{Total: 25}, TokensState{Role: owner.Role, Query: models.TokenQuery{Page: 2}})),
		"application-off":          Application(owner, view(off, activeTokenList(), asOwner)),
		"application-viewer":       Application(viewer, view(detailWithOldSecret(), endedTokenList(), asViewer)),
		"application-hostile":      Application(owner, view(hostile, activeTokenList(), asOwner)),
		"application-scopes":       Application(owner, NewApplicationView(scoped, activeTokenList(), asOwner, baseURL, twoScopes.Scopes, clock)),
		"application-secret-shown": Application(owner, view(detail(), activeTokenList(), secretShown)),
		"application-token-shown":  Application(owner, view(detail(), endedTokenList(), tokenShown)),
	}
}

func confirmGoldens() map[string]templ.Component {
	page := pageOf(models.RoleDeveloper)
	app, one, none := applicationRow1(), otherRow(2, hostileNames[0], 1, 0), otherRow(3, hostileNames[3], 0, 0)
	named := activeTokenList().Rows[0].Token
	unnamed := activeTokenList().Rows[1].Token
	return map[string]templ.Component{
		"delete-application":         DeleteApplication(page, NewConfirmDelete(app, "", false)),
		"delete-application-wrong":   DeleteApplication(page, NewConfirmDelete(app, "trading bot", true)),
		"delete-application-hostile": DeleteApplication(page, NewConfirmDelete(one, "", false)),
		"delete-application-rtl":     DeleteApplication(page, NewConfirmDelete(none, "", false)),
		"revoke-tokens":              RevokeAll(page, NewConfirmRevokeAll(app)),
		"revoke-tokens-one":          RevokeAll(page, NewConfirmRevokeAll(one)),
		"revoke-tokens-none":         RevokeAll(page, NewConfirmRevokeAll(none)),
		"revoke-token":               RevokeToken(page, NewConfirmRevokeToken(unnamed, "")),
		"revoke-token-named":         RevokeToken(page, NewConfirmRevokeToken(named, FromTokens)),
		"rotate-secret":              RotateSecret(page, NewConfirmRotate(detail(), "", "once-3", nil, clock)),
		"rotate-secret-again":        RotateSecret(page, NewConfirmRotate(detailWithOldSecret(), "3600", "once-3", models.FieldErrors{"overlap": "Choose one of the three."}, clock)),
		"retire-secret":              RetireSecret(page, NewConfirmRetire(detailWithOldSecret(), clock)),
		"switch-off":                 SwitchOff(page, NewConfirmSwitchOff(app)),
		"switch-off-no-tokens":       SwitchOff(page, NewConfirmSwitchOff(none)),
	}
}

func keyGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	view := func(app models.ApplicationDetail, role models.Role) ApplicationView {
		return NewApplicationView(app, models.TokenList{}, TokensState{Role: role}, baseURL, limits.Scopes, clock)
	}
	full, nothing, lastKey, both := detailWithKeys(), detail(), detailWithoutSecret(), detailWithKeys()
	for len(full.Keys) < models.MaxClientKeys {
		full.Keys = append(full.Keys, clientKey("p9", hostileNames[5], "EC, P-256", "short", time.Hour, 0))
	}
	nothing.Secrets, lastKey.Keys, both.Secrets = nil, lastKey.Keys[1:], detailWithOldSecret().Secrets
	typed := ClientKeyTyped{Name: hostileNames[2], Key: "-----BEGIN PUBLIC KEY-----\n" + hostileNames[2]}
	errs := models.FieldErrors{"name": "There is a key called laptop already. Choose another name.", "key": "This is not a public key that can be read. Paste one as PEM or JWK."}
	meanwhile := models.FieldErrors{"overlap": "The secret was removed while this page was open."}
	return map[string]templ.Component{
		"application-keys":           Application(owner, view(detailWithKeys(), owner.Role)),
		"application-keys-full":      Application(owner, view(full, owner.Role)),
		"application-keys-viewer":    Application(viewer, view(detailWithKeys(), viewer.Role)),
		"application-no-secret":      Application(owner, view(detailWithoutSecret(), owner.Role)),
		"application-no-credentials": Application(viewer, view(nothing, viewer.Role)),
		"add-key":                    AddClientKey(owner, NewClientKeyForm(full.Application, ClientKeyTyped{}, nil, "once-4")),
		"add-key-errors":             AddClientKey(owner, NewClientKeyForm(full.Application, typed, errs, "once-4")),
		"remove-key":                 RemoveClientKey(owner, NewConfirmRemoveKey(full, full.Keys[0].ClientKey, clock)),
		"remove-key-last":            RemoveClientKey(owner, NewConfirmRemoveKey(lastKey, lastKey.Keys[0].ClientKey, clock)),
		"remove-secret":              RemoveSecret(owner, NewConfirmRemoveSecret(detailWithKeys(), clock)),
		"remove-secret-both":         RemoveSecret(owner, NewConfirmRemoveSecret(both, clock)),
		"create-secret":              RotateSecret(owner, NewConfirmRotate(detailWithoutSecret(), "", "once-3", nil, clock)),
		"create-secret-conflict":     RotateSecret(owner, NewConfirmRotate(nothing, "0", "once-3", meanwhile, clock)),
	}
}

func tokensGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	var apps []models.Application
	for _, row := range applicationList().Rows {
		apps = append(apps, row.Application)
	}
	app := &apps[0]
	view := func(tokens models.TokenList, state TokensState) TokensView {
		view := NewTokensView(apps, false, app, tokens, state, clock)
		view.Temporary = NewTemporaryCard(madeTemporary(), usualRotation, "", state.Role, clock)
		return view
	}
	asOwner := TokensState{Role: owner.Role}
	created := asOwner
	created.Created = &activeTokenList().Rows[0]
	shown := TokensState{Role: owner.Role, Revealed: Revealed{TokenID: "k2", Value: models.NewSecret(exampleValue)}}
	return map[string]templ.Component{
		"tokens":                 Tokens(owner, view(activeTokenList(), asOwner)),
		"tokens-ended":           Tokens(owner, view(endedTokenList(), TokensState{Role: owner.Role, Query: models.TokenQuery{Ended: true}})),
		"tokens-generated":       Tokens(owner, view(activeTokenList(), created)),
		"tokens-shown":           Tokens(owner, view(activeTokenList(), shown)),
		"tokens-empty":           Tokens(owner, view(models.TokenList{}, asOwner)),
		"tokens-viewer":          Tokens(viewer, view(activeTokenList(), TokensState{Role: viewer.Role})),
		"tokens-viewer-empty":    Tokens(viewer, view(models.TokenList{}, TokensState{Role: viewer.Role})),
		"tokens-off":             Tokens(owner, NewTokensView(apps[:1], true, &apps[2], activeTokenList(), asOwner, clock)),
		"tokens-none-chosen":     Tokens(owner, NewTokensView(apps, false, nil, models.TokenList{}, asOwner, clock)),
		"tokens-no-applications": Tokens(owner, NewTokensView(nil, false, nil, models.TokenList{}, asOwner, clock)),
	}
}

func otherGoldens() map[string]templ.Component {
	in, out := pageOf(models.RoleViewer), signedOutPage()
	dark := pageOf(models.RoleOwner)
	dark.Theme = "light"
	docs := NewAuthorizationDocs(baseURL, "api")
	all := map[string]templ.Component{
		"docs":             Docs(dark, docs),
		"docs-signed-out":  Docs(out, docs),
		"confirm":          ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Back: TokensPath}),
		"confirm-wrong":    ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Back: TokensPath, Error: WrongPassword}),
		"confirm-deed":     ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Deed: "d", Back: TokensPath, Asked: AskedFor{Waits: true, Words: "delete", Name: hostileNames[0]}}),
		"confirm-unnamed":  ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Deed: "d", Back: TokensPath, Asked: AskedFor{Waits: true}}),
		"confirm-too-long": ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Back: TokensPath, TooLong: true}),
		"confirm-none":     ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Back: ApplicationsPath, NoPassword: true}),
		"confirm-too-many": ConfirmIdentity(in, ConfirmIdentityForm{Next: TokensPath, Back: TokensPath, Error: TooManyAttempts(30 * time.Second)}),
		"403-cross-site":   Error(out, NewCrossSiteView("01JDC7M4Q9XK2V8E")),
		"403-signed-out":   Error(out, NewErrorView(403, "", "01JDC7M4Q9XK2V8E")),
	}
	for code, status := range map[string]int{"400": 400, "403": 403, "404": 404, "405": 405, "409": 409, "413": 413, "429": 429, "500": 500, "503": 503} {
		all[code] = Error(in, NewErrorView(status, in.Role, "01JDC7M4Q9XK2V8E"))
	}
	for code, status := range map[string]int{"404-signed-out": 404, "500-signed-out": 500} {
		all[code] = Error(out, NewErrorView(status, "", "01JDC7M4Q9XK2V8E"))
	}
	return all
}
