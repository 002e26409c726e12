package views

import (
	"regexp"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// algorithm is how a kind of key signs, in the words of the libraries.
type algorithm struct{ name, goParse, goMethod string }

var (
	signEd  = algorithm{"EdDSA", "ParseEdPrivateKeyFromPEM", "SigningMethodEdDSA"}
	signEC  = algorithm{"ES256", "ParseECPrivateKeyFromPEM", "SigningMethodES256"}
	signRSA = algorithm{"RS256", "ParseRSAPrivateKeyFromPEM", "SigningMethodRS256"}
	signPSS = algorithm{"PS256", "ParseRSAPrivateKeyFromPEM", "SigningMethodPS256"}
)

// algorithmOf is that of the newest key; without one that of the keys which the
// form explains how to make.
func algorithmOf(keys []models.ClientKeyRow) algorithm {
	if len(keys) == 0 {
		return signEd
	}
	switch kind := keys[len(keys)-1].Description; {
	case strings.HasSuffix(kind, signPSS.name):
		return signPSS
	case strings.HasPrefix(kind, "RSA"):
		return signRSA
	case strings.HasPrefix(kind, "EC"):
		return signEC
	}
	return signEd
}

// assertionRules is what a client assertion has to say.
func assertionRules(baseURL string) string {
	return "The assertion is a JWT for one request: iss and sub are the client ID, aud is " + baseURL +
		" or the token endpoint and nothing else, exp is at most 5 minutes ahead, and jti is new each time."
}

const (
	assertionCurl = `# ASSERTION is the JWT that the program signed.
curl -X POST TOKEN_URL \
  -H "Content-Type: application/x-www-form-urlencoded" \
  --data-urlencode "grant_type=client_credentials" \
  --data-urlencode "client_id=CLIENT_ID" \
  --data-urlencode "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer" \
  --data-urlencode "client_assertion=$ASSERTION" \
  --data-urlencode "scope=SCOPE"`

	assertionPython = `import time, uuid
import jwt, requests  # pip install "pyjwt[crypto]" requests

url = "TOKEN_URL"
client_id = "CLIENT_ID"
claims = {
    "iss": client_id,
    "sub": client_id,
    "aud": url,
    "exp": int(time.time()) + 60,
    "jti": str(uuid.uuid4()),
}
with open("key.pem") as file:
    assertion = jwt.encode(claims, file.read(), algorithm="ALGORITHM")
response = requests.post(
    url,
    data={
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": "SCOPE",
    },
    timeout=10,
)
response.raise_for_status()
token = response.json()["access_token"]`

	assertionGo = `import "github.com/golang-jwt/jwt/v5"

key, err := jwt.GO_PARSE(pemBytes)
if err != nil {
	return err
}
assertion, err := jwt.NewWithClaims(jwt.GO_METHOD, jwt.RegisteredClaims{
	Issuer:    "CLIENT_ID",
	Subject:   "CLIENT_ID",
	Audience:  jwt.ClaimStrings{"TOKEN_URL"},
	ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	ID:        rand.Text(), // crypto/rand
}).SignedString(key)
if err != nil {
	return err
}
response, err := http.PostForm("TOKEN_URL", url.Values{
	"grant_type":            {"client_credentials"},
	"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	"client_assertion":      {assertion},
	"scope":                 {"SCOPE"},
})
if err != nil {
	return err
}
defer response.Body.Close()
if response.StatusCode != http.StatusOK {
	return errors.New(response.Status)
}
var token struct {
	AccessToken string ` + "`json:\"access_token\"`" + `
}
err = json.NewDecoder(response.Body).Decode(&token)`

	assertionJavaScript = `import { readFile } from "node:fs/promises";
import { SignJWT, importPKCS8 } from "jose";

const url = "TOKEN_URL";
const key = await importPKCS8(await readFile("key.pem", "utf8"), "ALGORITHM");
const assertion = await new SignJWT()
  .setProtectedHeader({ alg: "ALGORITHM" })
  .setIssuer("CLIENT_ID")
  .setSubject("CLIENT_ID")
  .setAudience(url)
  .setExpirationTime("1m")
  .setJti(crypto.randomUUID())
  .sign(key);
const response = await fetch(url, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
    scope: "SCOPE",
  }),
});
if (!response.ok) throw new Error(await response.text());
const { access_token } = await response.json();`
)

// assertionSamples asks the token endpoint for a token by a signed assertion.
func assertionSamples(id, baseURL, clientID string, sign algorithm, scope string) ui.CodePanel {
	fill := strings.NewReplacer("TOKEN_URL", baseURL+"/oauth2/token", "CLIENT_ID", clientID, "SCOPE", scope,
		"ALGORITHM", sign.name, "GO_PARSE", sign.goParse, "GO_METHOD", sign.goMethod)
	parts := func(code string) []ui.CodePart { return coloured(fill.Replace(code)) }
	return samples(id, "Sign and get a token", parts(assertionCurl), parts(assertionPython), parts(assertionGo), parts(assertionJavaScript))
}

// colours finds comments, strings and the keywords of the languages.
var colours = regexp.MustCompile(`#.*|// .*|"[^"]*"|\b(?:import|with|as|if|return|const|await|new|throw)\b`)

func coloured(code string) []ui.CodePart {
	var parts []ui.CodePart
	at := 0
	for _, found := range colours.FindAllStringIndex(code, -1) {
		parts = append(parts, plain(code[at:found[0]]))
		word := code[found[0]:found[1]]
		switch word[0] {
		case '#', '/':
			parts = append(parts, plain(word))
		case '"':
			parts = append(parts, str(word))
		default:
			parts = append(parts, keyword(word))
		}
		at = found[1]
	}
	return append(parts, plain(code[at:]))
}
