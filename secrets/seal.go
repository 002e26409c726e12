package secrets

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// ErrSealed means that a sealed value is damaged, was moved from another place or
// was sealed with another key file. Which of them is told to nobody.
var ErrSealed = errors.New("value cannot be opened with this key file")

// sealingPurpose separates these values from whatever else the keys may one day
// protect.
const sealingPurpose = "latchkey sealed value 1"

// Place is where a sealed value is stored. It opens nowhere else.
type Place struct{ Table, Column, Row string }

// associatedData gives each part its length, so that no two places share bytes.
func (p Place) associatedData() []byte {
	var data []byte
	for _, part := range []string{sealingPurpose, p.Table, p.Column, p.Row} {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

// Seal encrypts value for place with the newest key, under a random nonce. It is
// safe for concurrent use. An error means that no value was sealed.
func (k *Keys) Seal(value models.Secret, place Place) ([]byte, error) {
	sealed, err := k.ring.Load().aead.Encrypt([]byte(value.Reveal()), place.associatedData())
	if err != nil {
		return nil, errors.New("value cannot be sealed")
	}
	return sealed, nil
}

// Reseal seals anew, for the same place, what another key than the one of now had sealed. It returns nil
// for a value that needs no change. The only error of a value that does not open is ErrSealed.
func (k *Keys) Reseal(sealed []byte, place Place) ([]byte, error) {
	if bytes.HasPrefix(sealed, SealPrefix(k.Names().Sealing)) {
		return nil, nil
	}
	value, err := k.Open(sealed, place)
	if err != nil {
		return nil, err
	}
	return k.Seal(value, place)
}

// Open decrypts what Seal returned for the same place, with whichever key of the
// file sealed it. It is safe for concurrent use. The only error is ErrSealed.
func (k *Keys) Open(sealed []byte, place Place) (models.Secret, error) {
	value, err := k.ring.Load().aead.Decrypt(sealed, place.associatedData())
	if err != nil {
		return models.Secret{}, ErrSealed
	}
	return models.NewSecret(string(value)), nil
}
