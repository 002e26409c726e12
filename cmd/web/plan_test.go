package main

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func TestPlanCommands(t *testing.T) {
	env := madeFolder(t)
	say := func(want string, args ...string) {
		t.Helper()
		if code, stdout, stderr := call(t, env, "plum-Fiddle-84-wharf", args...); code != exitDone || stdout != want || stderr != "" {
			t.Errorf("%v: exit %d %q %q", args, code, stdout, stderr)
		}
	}
	say("There is no plan. Add one: web plan add --name NAME --points POINTS\n", "plan", "list")
	for range 2 { // a script may run twice
		say("Added the plan Free.\n", "plan", "add", "--name", "Free", "--points", "100", "--members", "2", "--default")
	}
	say("Added the plan Pro.\n", "plan", "add", "--name", "Pro", "--points", "1000000", "--period", "30d", "--rate", "600", "--streams", "10", "--overage")
	say("Added ana@example.com to Northwind.\n", "user", "add", "--email", "ana@example.com", "--name", "Ana", "--team", "Northwind", "--password-stdin")
	say("Gave Northwind the plan Pro.\n", "plan", "give", "--team", "northwind", "--plan", "pro", "--until", "2099-12-31")
	say("Added 500 points. The balance of Northwind is 1,000,500 points.\n", "points", "add", "--team", "Northwind", "--points", "500", "--event", "INV-1", "--note", "Invoice 1")
	code, stdout, _ := call(t, env, "", "points", "add", "--team", "Northwind", "--points", "500", "--event", "INV-1", "--note", "Invoice 1")
	if code != exitDone || !strings.HasPrefix(stdout, "This purchase was added on 20") || !strings.HasSuffix(stdout, ". Nothing was changed. The balance of Northwind is 1,000,500 points.\n") {
		t.Errorf("again: exit %d %q", code, stdout)
	}
	code, stdout, _ = call(t, env, "", "plan", "list")
	lines := strings.Split(stdout, "\n")
	if code != exitDone || len(lines) != 4 || strings.Join(strings.Fields(lines[1]), " ") != "Free 100 calendar month No limit No limit 2 false 0 default" ||
		strings.Join(strings.Fields(lines[2]), " ") != "Pro 1000000 30 days 600 10 No limit true 1 -" {
		t.Errorf("list: exit %d\n%s", code, stdout)
	}
	db := openFolder(t, env)
	teams, err := db.FindTeams(t.Context(), "Northwind")
	if err != nil || len(teams) != 1 {
		t.Fatal(teams, err)
	}
	standing, err := db.Standing(t.Context(), teams[0].ID)
	if err != nil || standing.Plan.Name != "Pro" || models.LastDay(standing.EndsAt) != "2099-12-31" || standing.Balance != 1_000_500 {
		t.Errorf("%+v %v", standing, err)
	}
}

func TestPlanAndPointsRefusals(t *testing.T) { // C1
	env := madeFolder(t)
	call(t, env, "", "plan", "add", "--name", "Free", "--points", "100")
	call(t, env, "plum-Fiddle-84-wharf", "user", "add", "--email", "ana@example.com", "--name", "Ana", "--team", "Northwind", "--password-stdin")
	call(t, env, "", "points", "add", "--team", "Northwind", "--points", "5", "--event", "INV-1")
	db := openFolder(t, env)
	for _, email := range []string{"eve@example.com", "joe@example.com"} {
		if _, err := db.SignUp(t.Context(), models.Actor{}, store.Account{Name: "Eve", Email: email, PasswordHash: "-", Team: "Twin"}); err != nil {
			t.Fatal(err)
		}
	}
	const number = "Enter a whole number from "
	for name, test := range map[string]struct {
		args string
		code int
		want string
	}{
		"no deed":            {"plan", exitUsage, "say what to do: web plan list, add or give"},
		"no deed of points":  {"points", exitUsage, "say what to do: web points add"},
		"unknown deed":       {"plan drop", exitUsage, `there is no command "drop"`},
		"list with a word":   {"plan list all", exitUsage, `"all"`},
		"no name":            {"plan add --points 1", exitUsage, "--name: Enter a name."},
		"no points":          {"plan add --name x", exitUsage, "--points: " + number + "0 to"},
		"odd points":         {"plan add --name x --points 1e3", exitUsage, "--points: " + number},
		"points with commas": {"plan add --name x --points 1,000", exitUsage, "--points: " + number},
		"odd period":         {"plan add --name x --points 1 --period week", exitUsage, "--period: Write month, or a number of days from 1d to 366d."},
		"long period":        {"plan add --name x --points 1 --period 367d", exitUsage, "--period: Write month"},
		"odd rate":           {"plan add --name x --points 1 --rate -1", exitUsage, "--rate: " + number + "1 to"},
		"odd streams":        {"plan add --name x --points 1 --streams x", exitUsage, "--streams: " + number},
		"odd members":        {"plan add --name x --points 1 --members 201", exitUsage, "--members: " + number + "1 to 200"},
		"a taken name":       {"plan add --name FREE --points 1", exitFailed, "--name: There is a plan called FREE already. Choose another name."},
		"give nobody":        {"plan give --plan Free", exitUsage, "--team: Write the name"},
		"give nothing":       {"plan give --team Northwind", exitUsage, "--plan: Write the name"},
		"give for no day":    {"plan give --team Northwind --plan Free --until tomorrow", exitUsage, "--until: Enter a date such as 2027-12-31"},
		"give for a past":    {"plan give --team Northwind --plan Free --until 2020-01-01", exitUsage, "--until: Choose today or a later day"},
		"give a stranger":    {"plan give --team Other --plan Free", exitFailed, "there is no team Other"},
		"give an unknown":    {"plan give --team Northwind --plan Gold", exitFailed, "there is no plan called Gold: web plan list shows what there is"},
		"give one of two":    {"plan give --team Twin --plan Free", exitFailed, "several teams are called Twin, write the ID of one: "},
		"add to nobody":      {"points add --points 1", exitUsage, "--team: Write the name"},
		"add nothing":        {"points add --team Northwind --points 0", exitUsage, "--points: " + number + "1 to"},
		"take away":          {"points add --team Northwind --points=-5", exitUsage, "--points: " + number + "1 to"},
		"a long event":       {"points add --team Northwind --points 5 --event " + strings.Repeat("e", 201), exitUsage, "--event: Use at most 200 characters."},
		"a long note":        {"points add --team Northwind --points 5 --note " + strings.Repeat("e", 201), exitUsage, "--note: Use at most 200 characters."},
		"another event":      {"points add --team Northwind --points 6 --event INV-1", exitFailed, "--event: Another purchase has this reference already, of 5 points."},
		"add to a stranger":  {"points add --team Other --points 5", exitFailed, "there is no team Other"},
	} {
		code, stdout, stderr := call(t, env, "", strings.Fields(test.args)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d %q %q", name, code, stdout, stderr)
		}
	}
	if _, stdout, _ := call(t, env, "", "plan", "list"); strings.Count(stdout, "\n") != 2 {
		t.Errorf("the refused ones left something:\n%s", stdout)
	}
	if code, stdout, _ := call(t, env, "", "plan", "give", "--help"); code != exitDone || !strings.Contains(stdout, "--until") {
		t.Errorf("help: exit %d %s", code, stdout)
	}
}
