package e2e

import "testing"

// TestStory is the first day with Latchkey, in a browser with a mouse or a
// finger, beside a program that asks for tokens.
func TestStory(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int64{"desk": 1440, "phone": 390} {
		t.Run(name, func(t *testing.T) { story(t, width) })
	}
}

func story(t *testing.T, width int64) {
	s := start(t)
	program := newClient(t, s.base)
	p := openTab(t, s.base)
	p.size(width)

	setUp(p, s.setupURL)
	createApplication(p)
	app := p.path()

	t.Log("generate a token by hand, copy it, show it")
	manual := generateToken(p)
	program.wantGood(manual)
	showAndHide(p, "new token", manual)

	t.Log("get a token by program")
	clientID := p.whole().copied("Copy client ID", "Client ID copied")
	secret := p.whole().copied("Copy client secret", "Client secret copied")
	p.hides(secret)
	issued, problem := program.newToken(clientID, secret)
	if problem != "" {
		t.Fatal(problem)
	}
	program.wantGood(issued)

	t.Log("revoke all in the browser")
	toApplications(p, width)
	d := p.whole().dialog("link", "Revoke all tokens of Trading bot", "Revoke all tokens of Trading bot?")
	d.follow("button", "Revoke 2 tokens")
	p.announces("2 tokens of Trading bot were revoked.")
	program.wantRefused(manual)
	program.wantRefused(issued)
	p.whole().lacks("link", "Revoke all tokens of Trading bot")

	p.whole().follow("link", "Trading bot")
	p.at(app, "Trading bot")
	switchOffAndOn(p, program, clientID, secret)
	secret = rotate(p, program, clientID, secret)
	edit(p)
	searchAndSort(p)
	remove(p)
	if _, problem := program.newToken(clientID, secret); problem != "invalid_client" {
		t.Errorf("a deleted client is answered %q, want invalid_client", problem)
	}
	signOut(p)
}
