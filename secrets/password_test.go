package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const typed = "Correct horse 9 battery"

// From the tests of the reference implementation: password "password", salt
// "somesalt", m=65536, t=2, p=1.
const referenceHash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func hashOf(t *testing.T, p *secrets.Passwords, password string) string {
	t.Helper()
	hash, err := p.Hash(t.Context(), models.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// K1 K3: argon2id with 19 MiB, t=2, a 16-byte salt of its own and a 32-byte key,
// all stored with the hash.
func TestHashForm(t *testing.T) {
	p := secrets.NewPasswords(2)
	first, second := hashOf(t, p, typed), hashOf(t, p, typed)
	if first == second {
		t.Error("two hashes share a salt")
	}
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is %s", first)
	}
	_, _, _, salt, key, err := secrets.ParseHash(first)
	if err != nil || salt != 16 || key != 32 {
		t.Errorf("salt of %d, key of %d bytes, %v", salt, key, err)
	}
}

// S8: any Unicode, compared exactly as typed. K3: parameters come from the hash.
func TestVerify(t *testing.T) {
	p := secrets.NewPasswords(2)
	composed, decomposed := "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"
	longest := strings.Repeat("x", models.MaxPasswordBytes)
	for _, tt := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"right", hashOf(t, p, typed), typed, true},
		{"wrong", hashOf(t, p, typed), typed + "!", false},
		{"other case", hashOf(t, p, typed), strings.ToLower(typed), false},
		{"space added", hashOf(t, p, typed), typed + " ", false},
		{"spaces kept", hashOf(t, p, "  spaces  around  "), "  spaces  around  ", true},
		{"nothing typed", hashOf(t, p, typed), "", false},
		{"unicode", hashOf(t, p, "пароль 密码 🔑🔑🔑"), "пароль 密码 🔑🔑🔑", true},
		{"composed", hashOf(t, p, composed), composed, true},
		{"not normalized", hashOf(t, p, composed), decomposed, false},
		{"NUL does not end it", hashOf(t, p, "aaaaaaaaaaaa\x00b"), "aaaaaaaaaaaa\x00c", false},
		{"longest", hashOf(t, p, longest), longest, true},
		{"longest but for one byte", hashOf(t, p, longest), longest[1:], false},
		{"not cut to the longest", hashOf(t, p, longest), longest + "y", false},
		{"reference", referenceHash, "password", true},
		{"reference wrong", referenceHash, "passwore", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ok, err := p.Verify(t.Context(), tt.hash, models.NewSecret(tt.password))
			if ok != tt.want || err != nil {
				t.Errorf("Verify = %v, %v, want %v", ok, err, tt.want)
			}
		})
	}
}

// S12: unknown user, over-long password and unreadable hash answer false.
func TestVerifyNeverAcceptsWithoutHash(t *testing.T) {
	p := secrets.NewPasswords(1)
	for _, password := range []string{"", typed, strings.Repeat("x", models.MaxPasswordBytes+1)} {
		if ok, err := p.Verify(t.Context(), "", models.NewSecret(password)); ok || err != nil {
			t.Errorf("unknown user, %d bytes: %v, %v", len(password), ok, err)
		}
	}
}

// S8: an over-long password is not hashed at all, rather than cut.
func TestHashRefusesOverlong(t *testing.T) {
	_, err := secrets.NewPasswords(1).Hash(t.Context(), models.NewSecret(strings.Repeat("canary", 200)))
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
}

// K3 R4: whoever wrote to the database cannot choose how much work a sign-in is.
func TestVerifyRefusesTamperedHash(t *testing.T) {
	p := secrets.NewPasswords(1)
	good := hashOf(t, p, typed)
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for _, hash := range []string{
		" ", "x", "$", "$$$$$", typed, good + "$", good + "\n", " " + good, good[:len(good)-1], good[1:],
		replace("argon2id", "argon2i"), replace("argon2id", "bcrypt"), replace("v=19", "v=16"), replace("v=19$", ""),
		replace("m=19456", "m=4294967295"), replace("m=19456", "m=131073"), replace("m=19456", "m=99999999999999999999"),
		replace("m=19456", "m=0"), replace("m=19456", "m=7"), replace("m=19456", "m=-1"), replace("m=19456", "m=+19456"),
		replace("m=19456", "m=019456"), replace("m=19456", "m="), replace("m=19456", "m=1e4"), replace("m=19456", "19456"),
		replace("t=2", "t=0"), replace("t=2", "t=9"), replace("t=2", "t=4294967295"),
		replace("p=1", "p=0"), replace("p=1", "p=5"), replace("p=1", "p=257"), replace("p=1", "p=255"),
		replace("m=19456,t=2", "t=2,m=19456"), replace("p=1", "p=1,x=1"), replace(",p=1", ""),
		"$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=19456,t=2,p=1$c2hvcnQ$c2hvcnQ",
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=19456,t=2,p=1$!$!",
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 88),
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 1<<20),
		strings.Repeat("$", 1<<20),
	} {
		ok, err := p.Verify(t.Context(), hash, models.NewSecret(typed))
		if ok || err == nil {
			t.Errorf("%.80q: %v, %v, want an error", hash, ok, err)
			continue
		}
		if errors.Is(err, models.ErrBusy) || strings.Contains(err.Error(), "argon2id") {
			t.Errorf("%.80q: error %v", hash, err)
		}
	}
}

// K3: parameters are raised at the next sign-in.
func TestNeedsRehash(t *testing.T) {
	p := secrets.NewPasswords(1)
	good := hashOf(t, p, typed)
	for _, tt := range []struct {
		hash string
		want bool
	}{
		{good, false},
		{strings.Replace(good, "m=19456", "m=9728", 1), true},
		{strings.Replace(good, "t=2", "t=1", 1), true},
		{strings.Replace(good, "p=1", "p=2", 1), true},
		{referenceHash, true},
		{hashOf(t, secrets.NewCheapPasswords(1), typed), true},
		{"", true},
		{"damaged", true},
	} {
		if got := p.NeedsRehash(tt.hash); got != tt.want {
			t.Errorf("NeedsRehash(%q) = %v", tt.hash, got)
		}
	}
}

// R4: waiting for a slot ends with the context. S12: unknown users, over-long
// passwords and unreadable hashes wait like the others, for they do the same work.
func TestPasswordsWaitAsLongAsContext(t *testing.T) {
	p := secrets.NewPasswords(3)
	good := hashOf(t, p, typed)
	long := strings.Repeat("x", models.MaxPasswordBytes+1)
	release := p.Occupy()
	for _, tt := range []struct{ name, hash, password string }{
		{"known", good, typed}, {"unknown", "", typed}, {"over-long", good, long}, {"unreadable", "damaged", typed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), secrets.Deadline)
			defer cancel()
			ok, err := p.Verify(ctx, tt.hash, models.NewSecret(tt.password))
			if ok || !errors.Is(err, models.ErrBusy) {
				t.Errorf("Verify = %v, %v, want ErrBusy", ok, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, models.NewSecret(typed)); !errors.Is(err, models.ErrBusy) {
		t.Errorf("Hash = %v, want ErrBusy", err)
	}
	release()
	if ok, err := p.Verify(t.Context(), good, models.NewSecret(typed)); !ok || err != nil {
		t.Errorf("with free slots again: %v, %v", ok, err)
	}
	for range 20 { // a select alone would choose by chance
		if _, err := p.Verify(ctx, good, models.NewSecret(typed)); !errors.Is(err, models.ErrBusy) {
			t.Fatalf("ended context, free slots: %v, want ErrBusy", err)
		}
	}
}

func TestPasswordsConcurrently(t *testing.T) {
	p := secrets.NewPasswords(0) // at least one
	good := hashOf(t, p, typed)
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			password := typed
			if i%2 == 1 {
				password = fmt.Sprint("wrong", i)
			}
			ok, err := p.Verify(t.Context(), good, models.NewSecret(password))
			if ok != (i%2 == 0) || err != nil {
				t.Errorf("%d: %v, %v", i, ok, err)
			}
		})
	}
	group.Wait()
}

func FuzzVerifyHash(f *testing.F) {
	for _, seed := range []string{
		referenceHash, "", "$$$$$", "$argon2id$v=19$m=19456,t=2,p=1$$",
		"$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA", "$argon2id$v=19$m=131072,t=8,p=4$c29tZXNhbHQ$c29tZXNhbHQ",
	} {
		f.Add(seed)
	}
	p := secrets.NewPasswords(1)
	f.Fuzz(func(t *testing.T, hash string) {
		memory, passes, threads, salt, key, err := secrets.ParseHash(hash)
		if err != nil {
			return
		}
		if memory > 128<<10 || memory < 8*uint32(threads) || passes < 1 || passes > 8 || threads < 1 || threads > 4 {
			t.Errorf("m=%d t=%d p=%d accepted", memory, passes, threads)
		}
		if salt < 8 || salt > 64 || key < 8 || key > 64 {
			t.Errorf("salt of %d, key of %d bytes accepted", salt, key)
		}
		if memory > 1024 {
			return // the work itself is not under test
		}
		if _, err := p.Verify(t.Context(), hash, models.NewSecret(typed)); err != nil {
			t.Errorf("parsed, but Verify says %v", err)
		}
	})
}
