package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/latchkey/latchkey/models"
)

var (
	// ErrPasskey means that an answer is not what was asked for. Which part of it is
	// wrong stands behind it, for the log alone.
	ErrPasskey = errors.New("passkey not accepted")
	// ErrPasskeyCopied means that a good answer came with a counter that ran backward.
	ErrPasskeyCopied = errors.New("passkey counter ran backward")
)

// Passkeys asks browsers for passkeys of one site and checks what they answer. It keeps
// nothing between the two and has no clock: whoever calls keeps a Challenge for as long
// as it is good, and for one answer.
type Passkeys struct{ site *webauthn.WebAuthn }

// Challenge is what a browser is asked, and what its answer is checked against.
type Challenge struct{ Options, State json.RawMessage }

// NewPasskeys is for the site at baseURL. A site at an IP address has no passkeys, for
// browsers make them for names alone.
func NewPasskeys(baseURL string) (*Passkeys, error) {
	at, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("reading the base address: %w", err)
	}
	if _, err := netip.ParseAddr(at.Hostname()); err == nil {
		return &Passkeys{}, nil
	}
	site, err := webauthn.New(&webauthn.Config{
		RPID: strings.ToLower(at.Hostname()), RPDisplayName: "Latchkey", RPOrigins: []string{originOf(at)},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing passkeys: %w", err)
	}
	return &Passkeys{site}, nil
}

// originOf is an address as browsers write it: without the port that goes without saying.
func originOf(at *url.URL) string {
	host := strings.ToLower(at.Host)
	if port, usual := at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme]; port == usual {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return at.Scheme + "://" + host
}

// Available tells whether the site can have passkeys.
func (p *Passkeys) Available() bool { return p.site != nil }

// NewHandle returns 256 random bits, by which devices know an account.
func NewHandle() []byte { return randomBytes(32) }

// person is a user as the library wants one.
type person struct {
	handle      []byte
	name, email string
	credentials []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return p.handle }
func (p person) WebAuthnName() string                       { return p.email }
func (p person) WebAuthnDisplayName() string                { return p.name }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

func personOf(handle []byte, passkeys []models.Passkey) (person, error) {
	who := person{handle: handle}
	for _, passkey := range passkeys {
		var credential webauthn.Credential
		if err := json.Unmarshal([]byte(passkey.Credential), &credential); err != nil {
			return who, fmt.Errorf("reading a passkey: %w", err)
		}
		credential.ID, credential.Authenticator.SignCount = passkey.CredentialID, uint32(passkey.SignCount) //nolint:gosec // it was one when it was stored
		who.credentials = append(who.credentials, credential)
	}
	return who, nil
}

// Register asks for a new passkey of user beside those there are.
func (p *Passkeys) Register(user models.User, handle []byte, existing []models.Passkey) (Challenge, error) {
	who, err := personOf(handle, existing)
	if err != nil {
		return Challenge{}, err
	}
	who.name, who.email = user.Name, user.Email
	var known []protocol.CredentialDescriptor
	for _, credential := range who.credentials {
		known = append(known, credential.Descriptor())
	}
	options, state, err := p.site.BeginRegistration(who, webauthn.WithExclusions(known))
	if err != nil {
		return Challenge{}, fmt.Errorf("asking for a new passkey: %w", err)
	}
	return challenge(options.Response, state)
}

// Registered checks the answer to Register and returns the passkey, without ID, name and
// times. The error is ErrPasskey for every answer that is not good.
func (p *Passkeys) Registered(state json.RawMessage, handle []byte, answer string) (models.Passkey, error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(state, &session); err != nil {
		return models.Passkey{}, fmt.Errorf("reading a challenge: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return models.Passkey{}, refused(err)
	}
	credential, err := p.site.CreateCredential(person{handle: handle}, session, parsed)
	if err != nil {
		return models.Passkey{}, refused(err)
	}
	return stored(models.Passkey{Handle: handle, CredentialID: credential.ID}, credential)
}

// Ask asks for one of these passkeys of one person, or for none in particular: then any
// person's that the device has.
func (p *Passkeys) Ask(passkeys []models.Passkey) (Challenge, error) {
	if len(passkeys) == 0 {
		options, state, err := p.site.BeginDiscoverableLogin()
		if err != nil {
			return Challenge{}, fmt.Errorf("asking for a passkey: %w", err)
		}
		return challenge(options.Response, state)
	}
	who, err := personOf(passkeys[0].Handle, passkeys)
	if err != nil {
		return Challenge{}, err
	}
	options, state, err := p.site.BeginLogin(who)
	if err != nil {
		return Challenge{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return challenge(options.Response, state)
}

// CredentialOf reads which passkey an answer claims to come from, and whose; the handle is
// empty where the device does not say. Nothing of it is proved yet.
func CredentialOf(answer string) (credentialID, handle []byte, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return nil, nil, refused(err)
	}
	return parsed.RawID, parsed.Response.UserHandle, nil
}

// Answered checks the answer to Ask, given the passkeys of the person it may come from:
// all that were asked for, or the one that CredentialOf names. It returns the one that was
// used, with its counter and flags as they are now. Errors are ErrPasskey and ErrPasskeyCopied, the
// latter with the passkey.
func (p *Passkeys) Answered(state json.RawMessage, answer string, passkeys []models.Passkey) (models.Passkey, error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(state, &session); err != nil {
		return models.Passkey{}, fmt.Errorf("reading a challenge: %w", err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return models.Passkey{}, refused(err)
	}
	for _, passkey := range passkeys {
		if !Equal(passkey.CredentialID, parsed.RawID) {
			continue
		}
		who, err := personOf(passkey.Handle, passkeys)
		if err != nil {
			return models.Passkey{}, err
		}
		credential, err := p.validate(who, session, parsed)
		if err != nil {
			return models.Passkey{}, refused(err)
		}
		if credential.Authenticator.CloneWarning {
			return passkey, ErrPasskeyCopied
		}
		return stored(passkey, credential)
	}
	return models.Passkey{}, ErrPasskey
}

func (p *Passkeys) validate(who person, session webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if len(session.UserID) > 0 {
		return p.site.ValidateLogin(who, session, parsed)
	}
	return p.site.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return who, nil }, session, parsed)
}

func challenge(options any, state *webauthn.SessionData) (Challenge, error) {
	asked, err := json.Marshal(options)
	if err != nil {
		return Challenge{}, fmt.Errorf("writing a challenge: %w", err)
	}
	kept, err := json.Marshal(state)
	if err != nil {
		return Challenge{}, fmt.Errorf("writing a challenge: %w", err)
	}
	return Challenge{Options: asked, State: kept}, nil
}

// stored leaves out the device's attestation, which was not asked for.
func stored(passkey models.Passkey, credential *webauthn.Credential) (models.Passkey, error) {
	credential.Attestation = webauthn.CredentialAttestation{}
	text, err := json.Marshal(credential)
	if err != nil {
		return passkey, fmt.Errorf("writing a passkey: %w", err)
	}
	passkey.Credential, passkey.SignCount = string(text), int64(credential.Authenticator.SignCount)
	return passkey, nil
}

// refused keeps the library's reason, which names no secret, behind our word.
func refused(err error) error {
	var known *protocol.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%w: %s %s", ErrPasskey, known.Details, known.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrPasskey, err)
}
