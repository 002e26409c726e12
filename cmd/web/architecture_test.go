package main

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const module = "github.com/latchkey/latchkey/"

// mayImport is the table of docs/architecture.md: which of our packages each one
// may import. A new package must be declared here.
var mayImport = map[string][]string{
	"models":          {},
	"secrets":         {"models"},
	"migrations":      {},
	"static":          {},
	"middleware":      {"tally"},
	"views/ui":        {"static"},
	"views/layout":    {"views/ui", "static", "models"},
	"views/snippet":   {"views/ui"},
	"views":           {"views/layout", "views/snippet", "views/ui", "models"},
	"store":           {"models"},
	"store/storetest": {"store", "models", "migrations", "store/storetest/pgtest"},
	"tally":           {},
	"tokens":          {"models", "secrets", "tally"},
	"mail":            {"models"},
	"mail/mailtest":   {"certs/certstest"},
	"provider":        {"models", "secrets"},
	"certs":           {"models", "secrets"},
	"certs/certstest": {},
	"webhooks":        {"models", "secrets", "store"},
	"warnings":        {"models", "store", "mail", "webhooks"},
	"oauth":           {"models", "store", "tokens", "secrets", "middleware", "tally"},
	"usage":           {"models"},
	"peers":           {"models", "secrets"},
	"gateway":         {"models", "tokens", "usage", "tally"},
	"tracing":         {"models", "tokens", "middleware"},
	"metrics":         {"store", "tokens", "oauth", "usage", "gateway", "mail", "webhooks", "middleware", "tally"},
	"api":             {"models", "store", "tokens", "secrets", "usage", "middleware"},
	"rotation":        {"models", "secrets"},
	"handlers":        {"gateway", "usage", "provider", "models", "store", "tokens", "secrets", "views", "views/layout", "mail", "middleware", "static", "webhooks", "warnings"},
	"bench":           {},
	"bench/hello":     {},
	"bench/large":     {"migrations", "models", "store"},
	"cmd/web":         {"api", "certs", "gateway", "usage", "provider", "models", "secrets", "migrations", "views", "store", "tokens", "oauth", "handlers", "mail", "middleware", "rotation", "webhooks", "warnings", "metrics", "tracing", "peers"},
	"e2e":             {},
	"e2e/chart":       {},
	"e2e/cluster":     {},
	"e2e/faults":      {},
	"e2e/harness":     {},

	"provider/providertest": {},

	"gateway/gatewaytest": {},
	"bench/proxy":         {},

	"store/storetest/pgtest": {},

	"guard":         {}, // for APIs of others
	"guard/example": {"guard"},
}

// mustNot lists imports of others that a package may not have.
var mustNot = map[string][]string{
	"models": {"gorm.io", "github.com", "golang.org", "os", "net/http", "io/ioutil"},
	"views":  {"net/http", "github.com/labstack", "gorm.io"},
	"tokens": {"net/http", "database/sql", "github.com/labstack", "gorm.io"},
	"store":  {"net/http", "github.com/labstack"},
	"usage":  {"net/http", "database/sql", "github.com/labstack", "gorm.io"},
	"guard":  {"github.com", "gorm.io", "golang.org"},
	"peers":  {"net/http", "database/sql", "github.com/labstack", "gorm.io"},
	"oauth":  {"github.com/gorilla", "github.com/a-h/templ", "gorm.io"},

	"rotation": {"net/http", "database/sql", "github.com/labstack", "gorm.io"},
}

// only names who alone imports what others count or record for.
var only = map[string]string{"github.com/prometheus": "metrics", "go.opentelemetry.io": "no package", "google.golang.org/protobuf": "tracing"}

// sources parses every Go file of the project. It reads the files itself: what
// go list says may come from a cache.
func sources(t *testing.T, visit func(pkg, file string, parsed *ast.File)) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || name == "tools" || name == "data") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		visit(path.Dir(name), path.Base(name), parsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importsOf(file *ast.File) []string {
	var imports []string
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		imports = append(imports, name)
	}
	return imports
}

func TestWhoMayImportWhom(t *testing.T) {
	seen := map[string]bool{}
	sources(t, func(pkg, file string, parsed *ast.File) {
		seen[pkg] = true
		allowed, declared := mayImport[pkg]
		if !declared {
			t.Errorf("package %s is not declared in mayImport", pkg)
		}
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, name := range importsOf(parsed) {
			if ours, ok := strings.CutPrefix(name, module); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s/%s imports %s", pkg, file, ours)
			}
			for _, bad := range mustNot[pkg] {
				if name == bad || strings.HasPrefix(name, bad+"/") {
					t.Errorf("%s/%s imports %s", pkg, file, name)
				}
			}
			if strings.HasPrefix(name, "gorm.io/") && pkg != "store" {
				t.Errorf("%s/%s imports %s: only store has a database in it", pkg, file, name)
			}
			for prefix, only := range only {
				if strings.HasPrefix(name, prefix+"/") && pkg != only {
					t.Errorf("%s/%s imports %s: only %s does", pkg, file, name, only)
				}
			}
		}
	})
	for pkg := range mayImport {
		if !seen[pkg] {
			t.Errorf("mayImport names %s, which is gone", pkg)
		}
	}
}

// cryptography lists the packages that import primitives (K6).
var cryptography = map[string][]string{
	"secrets":    {"crypto/hmac", "crypto/ecdsa", "crypto/ed25519", "crypto/elliptic", "crypto/rsa", "crypto/x509", "github.com/go-jose", "crypto/rand", "crypto/sha256", "crypto/subtle", "golang.org/x/crypto/argon2", "github.com/tink-crypto", "github.com/go-webauthn", "github.com/pquerna/otp"},
	"middleware": {"crypto/rand", "crypto/sha256"},
	"handlers":   {"github.com/gorilla/securecookie"},
	"static":     {"crypto/sha256"},
	"tokens":     {"crypto/sha256"},
	// The chain of audit events.
	"models": {"crypto/sha256"},
	// TLS to the mail server, and the IDs of mails.
	"mail":          {"crypto/rand", "crypto/tls", "crypto/x509"},
	"store":         {"crypto/tls", "crypto/x509"}, // whether PostgreSQL is spoken to in the clear, and why its certificate is refused
	"mail/mailtest": {"crypto/tls"},
	"provider":      {"crypto/tls", "crypto/x509", "github.com/coreos/go-oidc"},

	"provider/providertest": {"crypto"}, // for tests
	"webhooks":              {"crypto/hmac", "crypto/sha256", "crypto/tls", "crypto/x509"},

	// TLS to upstreams; the hashes that tokens are known by, of which it makes none.
	"gateway": {"crypto/tls", "crypto/x509", "crypto/sha256"},
	"cmd/web": {"crypto/tls", "crypto/x509"},
	// The server's own TLS.
	"certs":           {"crypto/tls", "crypto/x509", "golang.org/x/crypto/acme"},
	"certs/certstest": {"crypto/"},
	// By what tokens are known; how long to wait.
	"guard": {"crypto/sha256", "crypto/rand"},
	// Hashes of tokens that were never made.
	"bench/large": {"crypto/sha256"},
	// TLS to the collector of traces; IDs of spans.
	"tracing": {"crypto/tls", "crypto/x509", "crypto/rand"},
}

func TestWhoImportsCryptography(t *testing.T) {
	sources(t, func(pkg, file string, parsed *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, name := range importsOf(parsed) {
			crypto := strings.HasPrefix(name, "crypto/") || strings.HasPrefix(name, "golang.org/x/crypto") ||
				strings.HasPrefix(name, "github.com/tink-crypto") || strings.HasPrefix(name, "github.com/go-jose") || name == "github.com/gorilla/securecookie" ||
				strings.HasPrefix(name, "github.com/go-webauthn") || strings.HasPrefix(name, "github.com/pquerna/otp") || strings.HasPrefix(name, "github.com/coreos/go-oidc")
			known := slices.ContainsFunc(cryptography[pkg], func(prefix string) bool { return strings.HasPrefix(name, prefix) })
			if crypto && !known {
				t.Errorf("%s/%s imports %s: add it to the inventory in docs/security.md and here", pkg, file, name)
			}
		}
	})
}

// runsPrograms is the one file that may run another program: the operator's, for the keys.
const runsPrograms = "cmd/web/keysource.go"

func TestWhoRunsPrograms(t *testing.T) {
	sources(t, func(pkg, file string, parsed *ast.File) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(pkg, "e2e") || strings.HasPrefix(pkg, "bench") || strings.HasSuffix(pkg, "test") {
			return
		}
		for _, name := range importsOf(parsed) {
			if (name == "os/exec" || name == "plugin") && pkg+"/"+file != runsPrograms {
				t.Errorf("%s/%s imports %s", pkg, file, name)
			}
		}
	})
}

// K1: what runs hashes passwords at full cost.
func TestOnlyTestsHashCheaply(t *testing.T) {
	declared := 0
	sources(t, func(pkg, file string, parsed *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok && name.Name == "NewCheapPasswords" {
				declared++
				if pkg != "secrets" || declared > 1 {
					t.Errorf("%s/%s mentions NewCheapPasswords", pkg, file)
				}
			}
			return true
		})
	})
	if declared != 1 {
		t.Errorf("NewCheapPasswords is mentioned %d times", declared)
	}
}

// withoutActor are the methods of the store that change something and take no
// actor, each with its reason. Methods that only read take none either.
var withoutActor = map[string]string{
	"Migrate":             "runs before anyone can act",
	"SaveKeyCheck":        "first start",
	"CheckWritable":       "changes nothing",
	"Close":               "changes nothing",
	"InsertTokens":        "issued at the token endpoint: counted, not audited line by line",
	"SaveLastUsed":        "counted, not audited",
	"SeeSession":          "counted, not audited",
	"SeeFailures":         "a notice, shown once",
	"SetFlash":            "a message, shown once",
	"EndSession":          "time ended it, not a person",
	"BeginCeremony":       "a step; the deed at its end takes one",
	"FinishCeremony":      "a step; the deed at its end takes one",
	"SetPending":          "a deed that waits; it takes one when it is done",
	"Sweep":               "time ended it, not a person",
	"UpgradePasswordHash": "the password stays",
	"SeeIdentity":         "counted, not audited",
	"UseAssertion":        "counted, not audited",
	"Shrink":              "changes nothing that anyone sees",
	"Alone":               "runs a job, which says who does it",
	"Subscribe":           "changes nothing",
	"OnLogKept":           "changes nothing",
	"Tell":                "changes nothing that is stored",
	"Hear":                "changes nothing",
	"UsePasskey":          "counted, not audited; the deed that it proves takes one",
	// The audit log; its retention leaves an event of its own.
	"PurgeAudit":     "time ended it, not a person",
	"TellEnding":     "time does it, not a person; a row notes it",
	"ClaimDelivery":  "the program delivers what a change has queued",
	"FinishDelivery": "the program delivers what a change has queued",
	"SeeCalendar":    "counted, not audited",
	// Calls of APIs.
	"LeasePoints":      "counted, not audited; the ledger holds what is spent",
	"SaveUsage":        "counted, not audited; the ledger holds what is spent",
	"SaveRefusedCalls": "counted, not audited",
	"RollPeriods":      "time ends a period, not a person; the ledger holds what comes and goes",
	"SeeKeys":          "counted, not audited",
	"LeaveKeys":        "counted, not audited",
	"Reseal":           "the values stay; closing and retiring a key takes an actor",
	"SaveTicket":       "asked for by a program with its token; good once, for half a minute",
	"UseTicket":        "counted, not audited",
	// Certificates of the server.
	"SaveACMEState":   "the program does it, not a person; the log says so",
	"DeleteACMEState": "the program does it, not a person",
	"ClaimACMEState":  "the program does it, not a person",
}

var readers = []string{
	"ACMEState", "AnyUser", "Application", "ApplicationNames", "Applications", "Ceremony", "CheckName", "ClientByID", "ForeignVersion", "KeyCheck", "KnownBrowser",
	"AccountEvents", "EmailTaken", "NewBrowser", "NewFailures", "Sessions",
	"AuditChain", "AuditChains", "AuditChoices", "AuditEvents", "AuditPage", "LoggedApplication", "VerifyAudit",
	"FormerMembers", "Invitation", "InvitationByCode", "Invitations", "Member", "Members", "Memberships", "Seen",
	"Overview", "ResetLink", "ResourceServer", "Team", "Teams", "TokenCounts", "UserDetail", "Users",
	"Identity", "IdentityOf", "WaysIn",
	"Attention", "CalendarByCode", "CalendarEndings", "CalendarFeed", "Deliveries", "DueDeliveries", "Hygiene", "Webhook",
	"Factors", "PasskeyOwner", "RecoveryCodeHash", "SecondFactorPolicy",
	"ManualTokens", "Purge", "PurgeLeftovers", "ResourceServers", "Session", "Status",
	"Standing", "UsedToday", "AnyUsage", "Owners", "Usage", "UsageSeries", "UsageTotal",
	"Backup",
	"FindTeams", "Ledger", "Plan", "Plans", "TeamDetail",
	"UsableToken", "UsableTokens",
	"Temporary", "TemporaryToken", "TemporaryTokens",
	"CheckToken", "LastRefused", "RefusedCalls",
	"KeyNodes", "KeyStates", "KeyUse", "SealedByOthers", "SealedTables", "SealedValues",
	"Revocations",
	"Pools", "SchemaVersion", "Waiting",
	"Token", "TokenByHash", "User", "UserByEmail", "Witnesses",
}

func TestEveryChangeTakesAnActor(t *testing.T) {
	kind := reflect.TypeFor[*store.Store]()
	for method := range kind.Methods() {
		if withoutActor[method.Name] != "" || slices.Contains(readers, method.Name) {
			continue
		}
		if method.Type.NumIn() < 3 || method.Type.In(1) != reflect.TypeFor[context.Context]() || method.Type.In(2) != reflect.TypeFor[models.Actor]() {
			t.Errorf("Store.%s takes no actor after the context", method.Name)
		}
	}
}
