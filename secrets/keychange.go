package secrets

import (
	"bytes"
	"errors"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// KeyChange is one step of a rotation. Done again, it changes nothing.
type KeyChange func(file *keyFile, handle *keyset.Handle, names KeyNames) (*keyset.Handle, error)

var errKeysNotChanged = errors.New("the keys could not be changed")

// AddKeys adds a sealing key and a session key, with which nothing is sealed or signed yet.
func AddKeys(file *keyFile, handle *keyset.Handle, names KeyNames) (*keyset.Handle, error) {
	if names.Next() != "" {
		return handle, nil
	}
	manager := keyset.NewManagerFromHandle(handle)
	if _, err := manager.Add(aead.AES256GCMKeyTemplate()); err != nil {
		return nil, err
	}
	file.Sessions = append(file.Sessions, newSessionKey())
	return manager.Handle()
}

// UseNewKeys seals and signs with the keys that AddKeys added last.
func UseNewKeys(file *keyFile, handle *keyset.Handle, names KeyNames) (*keyset.Handle, error) {
	if names.Next() == "" {
		return handle, nil
	}
	entry, err := handle.Entry(handle.Len() - 1)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := manager.SetPrimary(entry.KeyID()); err != nil {
		return nil, err
	}
	last := len(file.Sessions) - 1
	file.Sessions = slices.Concat(file.Sessions[last:], file.Sessions[:last])
	return manager.Handle()
}

// DropKeys removes keys from before the ones in use; of the latter it removes none.
func DropKeys(seal, sessions []string) KeyChange {
	return func(file *keyFile, handle *keyset.Handle, names KeyNames) (*keyset.Handle, error) {
		manager := keyset.NewManagerFromHandle(handle)
		for i := range handle.Len() {
			entry, err := handle.Entry(i)
			if err != nil {
				return nil, err
			}
			if name := sealName(entry.KeyID()); slices.Contains(names.Old(), name) && slices.Contains(seal, name) {
				if err := manager.Delete(entry.KeyID()); err != nil {
					return nil, err
				}
			}
		}
		file.Sessions = slices.DeleteFunc(file.Sessions, func(key sessionKey) bool {
			return slices.Contains(names.OldSessions(), key.ID) && slices.Contains(sessions, key.ID)
		})
		return manager.Handle()
	}
}

// ChangeKeys returns what a key file of this content holds after the change; content itself
// where that changes nothing. Errors hold no key material.
func ChangeKeys(content []byte, change KeyChange) ([]byte, error) {
	keys, err := parseKeyFile(content)
	if err != nil {
		return nil, err
	}
	var file keyFile
	if err := decodeKeyFile(content, &file); err != nil {
		return nil, err
	}
	handle, err := sealingKeys(file.Seal)
	if err != nil {
		return nil, err
	}
	// What the libraries say of keys may hold some.
	if handle, err = change(&file, handle, keys.Names()); err != nil || file.setSeal(handle) != nil {
		return nil, errKeysNotChanged
	}
	changed, err := file.encode()
	if err != nil {
		return nil, errKeysNotChanged
	}
	after, err := parseKeyFile(changed)
	if err != nil {
		return nil, err
	}
	if after.Names().Equal(keys.Names()) {
		return bytes.Clone(content), nil
	}
	return changed, nil
}
