package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

// parseJWK looks for secrets in every key of a set before anything else: who
// pasted one must hear of it.
func parseJWK(text []byte) (PublicKey, string) {
	members, ok := jsonMembers(text)
	if !ok {
		return PublicKey{}, sentenceKeyUnreadable
	}
	if problem := secretIn(members); problem != "" {
		return PublicKey{}, problem
	}
	set, isSet := members["keys"]
	if !isSet {
		return publicJWK(members)
	}
	var keys []json.RawMessage
	if json.Unmarshal(set, &keys) != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	for _, key := range keys {
		members, _ = jsonMembers(key)
		if problem := secretIn(members); problem != "" {
			return PublicKey{}, problem
		}
	}
	if len(keys) != 1 {
		return PublicKey{}, fmt.Sprintf("This set has %d keys. Paste one key.", len(keys))
	}
	return publicJWK(members)
}

// secretIn goes by the names that RFC 7518 and its successors have for what is secret.
func secretIn(members map[string]json.RawMessage) string {
	if kty, _ := jsonText(members["kty"]); kty == "oct" {
		return sentenceKeySymmetric
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, present := members[name]; present {
			return sentenceKeyPrivate
		}
	}
	return ""
}

func publicJWK(members map[string]json.RawMessage) (PublicKey, string) {
	use, hasUse := members["use"]
	if name, _ := jsonText(use); hasUse && name != "sig" {
		return PublicKey{}, sentenceKeyUse
	}
	ops, hasOps := members["key_ops"]
	if names, _ := jsonTexts(ops); hasOps && !slices.Contains(names, "verify") {
		return PublicKey{}, sentenceKeyOps
	}
	kty, _ := jsonText(members["kty"])
	alg, hasAlg := members["alg"]
	algorithm, _ := jsonText(alg)
	if hasAlg && (kty == "" || keyTypes[jose.SignatureAlgorithm(algorithm)] != kty) {
		return PublicKey{}, sentenceKeyAlg
	}
	// The rest, such as certificates, is not looked at.
	bare := map[string]json.RawMessage{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if value, present := members[name]; present {
			bare[name] = value
		}
	}
	text, err := json.Marshal(bare)
	if err != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	var key jose.JSONWebKey
	err = key.UnmarshalJSON(text)
	if errors.Is(err, jose.ErrUnsupportedKeyType) {
		return PublicKey{}, sentenceKeyKind
	}
	if err != nil {
		return PublicKey{}, sentenceKeyUnreadable
	}
	return newPublicKey(key.Key, algorithm)
}
