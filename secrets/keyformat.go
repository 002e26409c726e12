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
	"github.com/tink-crypto/tink-go/v2/tink"
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
	Sessions []sessionKey    `json:"sessions"` // newest first
}

type sessionKey struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

func newKeyFile() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	var seal bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&seal)); err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(keyFile{
		Version:  keyFileVersion,
		Seal:     seal.Bytes(),
		Sessions: []sessionKey{{ID: hex.EncodeToString(randomBytes(4)), Key: randomBytes(sessionKeyBytes)}},
	}, "", "  ")
	return append(content, '\n'), err
}

// parseKeyFile answers with errors of its own words only: those of the decoders
// may quote what they stumbled over, which here is key material.
func parseKeyFile(content []byte) (*Keys, error) {
	var file keyFile
	if err := decodeKeyFile(content, &file); err != nil {
		return nil, err
	}
	primitive, err := sealingKeys(file.Seal)
	if err != nil {
		return nil, err
	}
	keys := &Keys{aead: primitive}
	for i, session := range file.Sessions {
		if session.ID == "" || len(session.Key) != sessionKeyBytes {
			return nil, fmt.Errorf("session key %d has no id or is not %d bytes long", i+1, sessionKeyBytes)
		}
		keys.sessions = append(keys.sessions, session.Key)
	}
	if len(keys.sessions) == 0 {
		return nil, errors.New("session keys are missing")
	}
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

func sealingKeys(serialized []byte) (tink.AEAD, error) {
	damaged := errors.New("sealing keys are missing or damaged")
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(serialized)))
	if err != nil {
		return nil, damaged
	}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, damaged
		}
		params, ok := entry.Key().Parameters().(*aesgcm.Parameters)
		if !ok || params.KeySizeInBytes() != 32 {
			return nil, errors.New("sealing keys are not of the kind AES-256-GCM")
		}
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, damaged
	}
	return primitive, nil
}
