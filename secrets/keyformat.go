package secrets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	keyFileVersion  = 1
	sessionKeyBytes = 32
)

// keyFile is the file's JSON. Each purpose has keys of its own; a further purpose
// is a further field, absent in older files.
type keyFile struct {
	Version  int             `json:"version"`
	Seal     json.RawMessage `json:"seal"`     // Tink keyset, AES-256-GCM
	Sessions []sessionKey    `json:"sessions"` // the first one signs
}

type sessionKey struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// NewKeySet returns the content of a key file with new keys.
func NewKeySet() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	file := keyFile{Version: keyFileVersion, Sessions: []sessionKey{newSessionKey()}}
	if err := file.setSeal(handle); err != nil {
		return nil, err
	}
	return file.encode()
}

func newSessionKey() sessionKey {
	return sessionKey{ID: hex.EncodeToString(randomBytes(4)), Key: randomBytes(sessionKeyBytes)}
}

func (f *keyFile) setSeal(handle *keyset.Handle) error {
	var seal bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&seal)); err != nil {
		return err
	}
	f.Seal = seal.Bytes()
	return nil
}

func (f *keyFile) encode() ([]byte, error) {
	content, err := json.MarshalIndent(f, "", "  ")
	return append(content, '\n'), err
}

// parseKeyFile answers with errors of its own words only: those of the decoders
// may quote what they stumbled over, which here is key material.
func parseKeyFile(content []byte) (*Keys, error) {
	var file keyFile
	if err := decodeKeyFile(content, &file); err != nil {
		return nil, err
	}
	handle, err := sealingKeys(file.Seal)
	if err != nil {
		return nil, err
	}
	r := ring{names: KeyNames{}}
	if r.aead, err = aead.New(handle); err != nil {
		return nil, errDamagedSeal
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errDamagedSeal
		}
		r.names.Seal = append(r.names.Seal, sealName(entry.KeyID()))
		if entry.IsPrimary() {
			r.names.Sealing = sealName(entry.KeyID())
		}
	}
	for i, session := range file.Sessions {
		if session.ID == "" || len(session.Key) != sessionKeyBytes {
			return nil, fmt.Errorf("session key %d has no id or is not %d bytes long", i+1, sessionKeyBytes)
		}
		r.sessions = append(r.sessions, session.Key)
		r.names.Sessions = append(r.names.Sessions, session.ID)
	}
	if len(r.sessions) == 0 {
		return nil, errors.New("session keys are missing")
	}
	keys := &Keys{}
	keys.ring.Store(&r)
	return keys, nil
}

func decodeKeyFile(content []byte, file *keyFile) error {
	if len(bytes.TrimSpace(content)) == 0 {
		return errors.New("it is empty")
	}
	// The version comes first: a newer file may well have fields unknown here.
	var head struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(content, &head) != nil {
		return errors.New("it is damaged or not a key file")
	}
	if head.Version != keyFileVersion {
		return fmt.Errorf("its version is %d, this program reads version %d", head.Version, keyFileVersion)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if decoder.Decode(file) != nil {
		return errors.New("it has fields that this program does not know or that are damaged")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it goes on after its end")
	}
	return nil
}

var errDamagedSeal = errors.New("sealing keys are missing or damaged")

func sealingKeys(serialized []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(serialized)))
	if err != nil {
		return nil, errDamagedSeal
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errDamagedSeal
		}
		// Only keys of this variant put their name in front of what they seal.
		params, ok := entry.Key().Parameters().(*aesgcm.Parameters)
		if !ok || params.KeySizeInBytes() != 32 || params.Variant() != aesgcm.VariantTink {
			return nil, errors.New("sealing keys are not of the kind AES-256-GCM")
		}
	}
	return handle, nil
}
