package views

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

const exampleSeed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

func factorsOf(app bool, passkeys ...string) models.Factors {
	factors := models.Factors{Codes: 10, CodesLeft: 9}
	if app {
		factors.Authenticator = &models.Authenticator{CreatedAt: before(50 * time.Hour), LastUsedAt: before(2 * time.Minute)}
	}
	for i, name := range passkeys {
		factors.Passkeys = append(factors.Passkeys, models.Passkey{ID: fmt.Sprintf("p%d", i), Name: name, CreatedAt: before(time.Duration(i+1) * time.Hour)})
	}
	return factors
}

func factorGoldens() map[string]templ.Component {
	owner, out := pageOf(models.RoleOwner), signedOutPage()
	page := func(state SecondFactorState) templ.Component {
		return SecondFactor(owner, NewSecondFactorView(state, clock))
	}
	both := factorsOf(true, hostileNames...)
	few := factorsOf(true)
	few.CodesLeft = 1
	full := factorsOf(false, strings.Split("a b c d e f g h i j", " ")...)
	none := factorsOf(false, "Laptop")
	none.CodesLeft = 0
	address := models.NewSecret("otpauth://totp/Latchkey:ana@northwind.example?secret=" + exampleSeed)
	setup := func(replaces bool, problem string) templ.Component {
		return SetUpAuthenticator(owner, NewAuthenticatorSetup(models.NewSecret(exampleSeed), address, replaces, problem))
	}
	step := func(factors models.Factors, use, problem, passkeyProblem string) templ.Component {
		form := NewSecondStepForm(factors, true, use)
		form.Error, form.PasskeyError = problem, passkeyProblem
		return SecondStep(out, form)
	}
	code := []models.Secret{models.NewSecret("0-ABCD-EFGH-IJKL-MNOP"), models.NewSecret("1-ABCD-EFGH-IJKL-MNOP")}
	return map[string]templ.Component{
		"second-factor":                page(SecondFactorState{Passkeys: true}),
		"second-factor-required":       page(SecondFactorState{Passkeys: true, Required: hostileNames[0]}),
		"second-factor-no-name":        page(SecondFactorState{Address: "127.0.0.1"}),
		"second-factor-both":           page(SecondFactorState{Factors: both, Passkeys: true}),
		"second-factor-few-codes":      page(SecondFactorState{Factors: few, Passkeys: true}),
		"second-factor-full":           page(SecondFactorState{Factors: full, Passkeys: true}),
		"second-factor-errors":         page(SecondFactorState{Factors: none, Passkeys: true, Name: hostileNames[1], Errors: models.FieldErrors{"name": "Use at most 64 characters.", "passkey": PasskeyNotAdded}}),
		"second-factor-app":            setup(false, ""),
		"second-factor-app-again":      setup(true, WrongSetupCode),
		"second-factor-remove":         RemoveFactor(owner, NewConfirmRemoveFactor(both, nil, nil)),
		"second-factor-remove-last":    RemoveFactor(owner, NewConfirmRemoveFactor(none, &none.Passkeys[0], nil)),
		"second-factor-remove-hostile": RemoveFactor(owner, NewConfirmRemoveFactor(both, &both.Passkeys[0], models.FieldErrors{"factor": "The team X requires a second factor, and this is your last. Add another one first."})),
		"recovery-codes":               RecoveryCodes(owner, NewRecoveryCodesView(code, "The authenticator app was set up.")),
		"recovery-codes-again":         MakeRecoveryCodes(owner, "9 of 10 codes left."),
		"second-step":                  step(factorsOf(true, "Laptop"), "", "", ""),
		"second-step-wrong":            step(factorsOf(true), "", WrongCode, ""),
		"second-step-passkey":          step(factorsOf(false, "Laptop"), "", "", PasskeyRefused),
		"second-step-too-many":         step(factorsOf(false, "Laptop"), "", TooManyAttempts(time.Minute), ""),
		"second-step-recovery":         step(factorsOf(true), UseRecovery, WrongRecovery, ""),
		"team-second-factor":           TeamSecondFactor(owner, NewConfirmPolicy(owner, models.SecondFactorPolicy{Without: 2})),
		"team-second-factor-all":       TeamSecondFactor(owner, NewConfirmPolicy(owner, models.SecondFactorPolicy{})),
		"team-second-factor-off":       TeamSecondFactor(owner, NewConfirmPolicy(owner, models.SecondFactorPolicy{Required: true})),
		"second-factor-cards":          cards(owner),
		"login-passkey":                Login(out, LoginForm{Next: TokensPath, Passkeys: true}),
		"login-passkey-refused":        Login(out, LoginForm{Passkeys: true, PasskeyError: PasskeyRefused}),
		"confirm-passkey":              ConfirmIdentity(owner, ConfirmIdentityForm{Next: TokensPath, Deed: "d", Passkey: true}),
	}
}

// cards are those that stand on other pages.
func cards(page layout.Page) templ.Component {
	var all []templ.Component
	all = append(all, heading("Cards"), SecondFactorCard(SecondFactorLink{On: true}), SecondFactorPolicy(NewSecondFactorPolicyCard(models.SecondFactorPolicy{Without: 1}, models.RoleOwner)))
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return layout.App(page.On("Cards", layout.NavNone)).Render(templ.WithChildren(ctx, templ.Join(all...)), w)
	})
}

func heading(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<h1>"+templ.EscapeString(text)+"</h1>")
		return err
	})
}

// S17: the picture says to an app what the text says to a person. It is read as a camera
// reads it, from the shapes that stand in the page.
func TestTheQRCodeHoldsTheAddress(t *testing.T) {
	for _, text := range []string{
		"otpauth://totp/Latchkey:ana@northwind.example?secret=" + exampleSeed + "&issuer=Latchkey",
		"otpauth://totp/Latchkey:" + strings.Repeat("%C3%A9", 250) + "?secret=" + exampleSeed,
	} {
		var page bytes.Buffer
		setup := NewAuthenticatorSetup(models.NewSecret(exampleSeed), models.NewSecret(text), false, "")
		if err := SetUpAuthenticator(pageOf(models.RoleOwner), setup).Render(context.Background(), &page); err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(photograph(t, page.String()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if long := newQRCode(models.NewSecret(strings.Repeat("x", 5000))); long.Side != 0 {
		t.Error("more than a QR code holds was drawn")
	}
}

// photograph draws the dark runs of the picture in a page, 8 pixels to the module.
func photograph(t *testing.T, page string) image.Image {
	t.Helper()
	_, from, _ := strings.Cut(page, `<svg role="img"`)
	inner, _, found := strings.Cut(from, "</svg>")
	if !found {
		t.Fatal("no picture")
	}
	var svg struct {
		ViewBox string `xml:"viewBox,attr"`
		Rect    struct {
			Fill string `xml:"fill,attr"`
		} `xml:"rect"`
		Path struct {
			D    string `xml:"d,attr"`
			Fill string `xml:"fill,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal([]byte("<svg"+strings.Replace(inner, " data-revealed", "", 1)+"</svg>"), &svg); err != nil {
		t.Fatal(err)
	}
	var side int
	if _, err := fmt.Sscanf(svg.ViewBox, "0 0 %d", &side); err != nil || svg.Rect.Fill != "#fff" || svg.Path.Fill != "#000" {
		t.Fatalf("%+v, %v", svg.Rect, err)
	}
	const scale = 8
	photo := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range photo.Pix {
		photo.Pix[i] = 0xff
	}
	for run := range strings.SplitSeq(strings.TrimSuffix(svg.Path.D, "z"), "z") {
		var x, y, width, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1H%d", &x, &y, &width, &back); err != nil || back != x || x < quietZone || x+width > side-quietZone {
			t.Fatalf("%q: %v", run, err)
		}
		for px := x * scale; px < (x+width)*scale; px++ {
			for py := y * scale; py < (y+1)*scale; py++ {
				photo.SetGray(px, py, color.Gray{})
			}
		}
	}
	return photo
}

func TestSecondStepWays(t *testing.T) {
	noCodes := factorsOf(true, "Laptop")
	noCodes.CodesLeft = 0
	for name, c := range map[string]struct {
		factors  models.Factors
		passkeys bool
		use      string
		want     SecondStepForm
	}{
		"all":                  {factorsOf(true, "Laptop"), true, "", SecondStepForm{App: true, Recovery: true, Passkeys: true}},
		"asked":                {factorsOf(true), true, UseRecovery, SecondStepForm{App: true, Recovery: true, AsksRecovery: true}},
		"no codes left":        {noCodes, true, UseRecovery, SecondStepForm{App: true, Passkeys: true}},
		"passkey, but no name": {factorsOf(false, "Laptop"), false, "", SecondStepForm{Recovery: true, AsksRecovery: true}},
	} {
		if got := NewSecondStepForm(c.factors, c.passkeys, c.use); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPolicyCard(t *testing.T) {
	for _, c := range []struct {
		policy models.SecondFactorPolicy
		role   models.Role
		text   string
		may    bool
	}{
		{models.SecondFactorPolicy{}, models.RoleOwner, "Every member has one.", true},
		{models.SecondFactorPolicy{Without: 1}, models.RoleDeveloper, "1 member has none.", false},
		{models.SecondFactorPolicy{Without: 1204, Required: true}, models.RoleOwner, "1,204 members have none. They are led to set one up before anything else.", true},
	} {
		if got := NewSecondFactorPolicyCard(c.policy, c.role); got.Text != c.text || (got.Href != "") != c.may || got.Required != c.policy.Required {
			t.Errorf("%+v: %+v", c.policy, got)
		}
	}
}

// P11: the page on which factors are managed has no field for a seed or a code.
func TestTheSeedStandsOnItsOwnPageAlone(t *testing.T) {
	for name, component := range goldens() {
		if holds := bytes.Contains(render(t, component), []byte(exampleSeed[:4]+" ")); holds != strings.HasPrefix(name, "second-factor-app") {
			t.Errorf("%s: holds the seed: %v", name, holds)
		}
	}
}
