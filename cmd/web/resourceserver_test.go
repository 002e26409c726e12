package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var twoLines = regexp.MustCompile(`^client_id=([0-9a-f-]{36})\nclient_secret=(lk_cs_\S+)\n$`)

// addServer adds a resource server and returns what it is let in by.
func addServer(t *testing.T, env map[string]string, name string) (clientID, secret string) {
	t.Helper()
	code, stdout, stderr := call(t, env, "", "resource-server", "add", "--name", name)
	found := twoLines.FindStringSubmatch(stdout)
	if code != exitDone || stderr != "" || found == nil {
		t.Fatalf("exit %d %q %q", code, stdout, stderr)
	}
	return found[1], found[2]
}

func TestResourceServerCommands(t *testing.T) {
	env := madeFolder(t)
	const none = "There is no resource server. Add one: web resource-server add --name NAME\n"
	if code, stdout, stderr := call(t, env, "", "resource-server", "list"); code != exitDone || stdout != none || stderr != "" {
		t.Errorf("empty list: exit %d %q %q", code, stdout, stderr)
	}
	first, firstSecret := addServer(t, env, "Telemetry API")
	second, secondSecret := addServer(t, env, "archive")
	if first == second || firstSecret == secondSecret {
		t.Error("two are let in by the same")
	}
	code, stdout, _ := call(t, env, "", "resource-server", "list")
	lines := strings.Split(stdout, "\n")
	if code != exitDone || len(lines) != 4 || !strings.HasPrefix(lines[0], "NAME ") ||
		!strings.HasPrefix(lines[1], "archive ") || !strings.Contains(lines[1], second) || !strings.HasSuffix(lines[1], " never") ||
		!strings.HasPrefix(lines[2], "Telemetry API ") || !strings.Contains(lines[2], first) {
		t.Errorf("list: exit %d\n%s", code, stdout)
	}
	for _, value := range []string{firstSecret, secondSecret, "lk_cs_", firstSecret[len(firstSecret)-4:]} { // A2
		if strings.Contains(stdout, value) {
			t.Errorf("the list shows %q", value)
		}
	}
	if code, stdout, _ = call(t, env, "", "resource-server", "remove", "--name", "TELEMETRY api"); code != exitDone || stdout != "Removed TELEMETRY api. It is refused within a second.\n" {
		t.Errorf("remove: exit %d %q", code, stdout)
	}
	if _, stdout, _ = call(t, env, "", "resource-server", "list"); strings.Contains(stdout, first) || !strings.Contains(stdout, second) {
		t.Errorf("after removing:\n%s", stdout)
	}
	if again, _ := addServer(t, env, "Telemetry API"); again == first { // O8
		t.Error("the client ID of a removed one came again")
	}
}

func TestResourceServerRefusals(t *testing.T) { // C1
	env := madeFolder(t)
	addServer(t, env, "API")
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":                {nil, exitUsage, "say what to do: web resource-server add, list or remove"},
		"unknown deed":           {[]string{"rotate"}, exitUsage, `there is no command "rotate"`},
		"add without name":       {[]string{"add"}, exitUsage, "--name: "},
		"add a blank name":       {[]string{"add", "--name", " \t"}, exitUsage, "--name: "},
		"add a long name":        {[]string{"add", "--name", strings.Repeat("x", 65)}, exitUsage, "--name: "},
		"add a name no one sees": {[]string{"add", "--name", "a\u202eb"}, exitUsage, "--name: "},
		"add with a word":        {[]string{"add", "--name", "x", "y"}, exitUsage, `"y"`},
		"add with a flag":        {[]string{"add", "--secret", "x"}, exitUsage, "secret"},
		"add twice":              {[]string{"add", "--name", "api"}, exitFailed, "--name: There is a resource server called api already. Choose another name."},
		"list with a word":       {[]string{"list", "all"}, exitUsage, `"all"`},
		"remove nothing":         {[]string{"remove"}, exitUsage, "--name: "},
		"remove with a word":     {[]string{"remove", "--name", "API", "now"}, exitUsage, `"now"`},
		"remove an unknown":      {[]string{"remove", "--name", "Other"}, exitFailed, "there is no resource server called Other: web resource-server list shows what there is"},
	} {
		code, stdout, stderr := call(t, env, "", append([]string{"resource-server"}, test.args...)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d %q %q", name, code, stdout, stderr)
		}
	}
	if _, stdout, _ := call(t, env, "", "resource-server", "list"); strings.Count(stdout, "\n") != 2 {
		t.Errorf("the refused ones left something:\n%s", stdout)
	}
}

// T2: the secret is on the disk as a hash and in no other form.
func TestResourceServerSecretIsStoredAsAHash(t *testing.T) {
	env := folder(t)
	call(t, env, "", "migrate")
	// Somebody who has the database open keeps its log from being cleared away.
	db := openFolder(t, env)
	clientID, secret := addServer(t, env, "API")
	files, err := filepath.Glob(filepath.Join(filepath.Dir(env["LATCHKEY_DATABASE"]), "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("files %v, %v", files, err)
	}
	hash := sha256.Sum256([]byte(secret))
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	for value, want := range map[string]bool{
		clientID: true, string(hash[:]): true, secret: false, strings.TrimPrefix(secret, "lk_cs_"): false, secret[len(secret)-12:]: false,
	} {
		if bytes.Contains(all, []byte(value)) != want {
			t.Errorf("%q in the files: %v", value, !want)
		}
	}
	if client, err := db.ClientByID(t.Context(), clientID); err != nil || !client.IsResourceServer() || !bytes.Equal(client.Secrets[0].Hash, hash[:]) {
		t.Errorf("client %+v, %v", client, err)
	}
}
