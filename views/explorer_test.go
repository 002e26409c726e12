package views

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func chosenRoute() ExplorerChoice {
	routes := []models.Upstream{
		{Path: "/v1", API: "v1", Cost: 1}, {Path: "/graphql", API: "v2", Cost: 5, GraphQL: true}, {Path: "/free", API: "v1"},
	}
	tokens := []models.UsableToken{
		{Token: models.Token{ID: "k1", ApplicationID: appID, Name: "laptop", Last4: "Zk3Q"}, ApplicationName: "Trading bot"},
		{Token: models.Token{ID: "k2", ApplicationID: appID, Last4: "a1B2"}, ApplicationName: "Trading bot"},
		{Token: models.Token{ID: "k3", ApplicationID: "a3", Name: hostileNames[1], Last4: "hhhh"}, ApplicationName: hostileNames[0]},
	}
	return ExplorerChoice{Routes: routes, Route: routes[0], Tokens: tokens, Temporary: true, BaseURL: baseURL}
}

func explorerGoldens() map[string]templ.Component {
	page := pageOf(models.RoleDeveloper)
	temporary, own, gone, graph, poor := chosenRoute(), chosenRoute(), chosenRoute(), chosenRoute(), chosenRoute()
	own.Temporary, own.Usable, own.More = false, own.Tokens[0], true
	gone.Temporary, gone.Usable = false, models.UsableToken{Token: models.Token{ID: "k9", ApplicationID: "a9", Name: "far", Last4: "z9z9"}, ApplicationName: "Zebra"}
	graph.Route = graph.Routes[1]
	poor.Tokens = nil
	first := models.ExplorerInput{Method: "GET", Headers: "Accept: application/json"}
	hostile := models.ExplorerInput{Method: "POST", Path: "/" + hostileNames[0], Query: hostileNames[1], Headers: "X-A: " + hostileNames[2], Body: hostileNames[2] + "\n" + hostileNames[3]}
	json := Answered{Status: 200, Reason: "OK", Took: 1234 * time.Millisecond, Headers: []models.HeaderLine{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(`{"a":[1,"<b>"]}`), Points: 5, Known: true}
	view := func(choice ExplorerChoice, in models.ExplorerInput, errs models.FieldErrors) ExplorerView {
		view := NewExplorerView(choice).Typed(in, errs)
		request, err := in.Validate(choice.Route)
		if err == nil {
			view = view.WithCode(choice, request)
		}
		return view
	}
	answered := func(view ExplorerView, a Answered) ExplorerView {
		view.Answer = NewExplorerAnswer(a)
		return view
	}
	late := view(own, first, nil)
	late.Problem = "The API did not answer within 30 seconds. Try again, or ask for less."
	query := models.GraphQLInput{Query: "{\n  __typename\n}"}
	request, _ := query.Validate(graph.Route)
	_, err := models.ExplorerInput{Method: "TRACE", Path: "x", Query: "#", Headers: "Host: a", Body: "\x00"}.Validate(own.Route)
	errs, _ := err.(models.FieldErrors) //nolint:errorlint // it is not wrapped
	return map[string]templ.Component{
		"explorer":                Explorer(page, view(temporary, first, nil)),
		"explorer-none":           Explorer(page, NewExplorerView(ExplorerChoice{})),
		"explorer-no-application": Explorer(page, view(poor, first, nil)),
		"explorer-token":          Explorer(page, view(own, first, nil)),
		"explorer-token-far":      Explorer(page, view(gone, first, nil)),
		"explorer-errors":         Explorer(page, view(own, models.ExplorerInput{Method: "TRACE", Path: "x", Query: "#", Headers: "Host: a"}, errs)),
		"explorer-hostile":        Explorer(page, answered(view(temporary, hostile, nil), Answered{Status: 502, Reason: "Bad Gateway", Body: []byte(hostileNames[2])})),
		"explorer-answer":         Explorer(page, answered(view(own, first, nil), json)),
		"explorer-late":           Explorer(page, late),
		"explorer-graphql":        Explorer(page, NewExplorerView(graph).TypedGraphQL(query, nil, "bm9uY2U").WithCode(graph, request)),
		"explorer-graphql-errors": Explorer(page, NewExplorerView(graph).TypedGraphQL(models.GraphQLInput{Variables: "["}, models.FieldErrors{"query": "Enter a query, such as { __typename }.", "variables": `Write a JSON object, such as {"id": 42}.`}, "bm9uY2U")),
	}
}

func TestExplorerAnswer(t *testing.T) {
	kind := func(value string) []models.HeaderLine {
		return []models.HeaderLine{{Name: "content-type", Value: value}}
	}
	for name, c := range map[string]struct {
		in         Answered
		text, note string
	}{
		"JSON":           {Answered{Headers: kind("application/json; charset=utf-8"), Body: []byte(`{"b":1,"a":"é"}`)}, "{\n  \"b\": 1,\n  \"a\": \"é\"\n}", ""},
		"problem":        {Answered{Headers: kind("application/problem+json"), Body: []byte(`[1]`)}, "[\n  1\n]", ""},
		"no JSON":        {Answered{Headers: kind("application/json"), Body: []byte(`{"b":`)}, `{"b":`, ""},
		"HTML":           {Answered{Headers: kind("text/html"), Body: []byte(`<b>`)}, `<b>`, ""},
		"bytes":          {Answered{Body: binary.BigEndian.AppendUint32(nil, 0xfffe0001)}, "", "The body is no text and is not shown."},
		"NUL":            {Answered{Body: []byte("a\x00b")}, "", "The body is no text and is not shown."},
		"nothing":        {Answered{}, "", "The answer has no body."},
		"half a letter":  {Answered{Body: []byte("aé")[:2], Cut: true}, "a", "The answer is longer. This is its first mebibyte."},
		"half JSON":      {Answered{Headers: kind("application/json"), Body: []byte(`{"b":`), Broken: true}, `{"b":`, "The API broke the answer off. This is what came until then."},
		"late and empty": {Answered{Late: true}, "", "The answer had not ended after 30 seconds. This is what came until then. The answer has no body."},
	} {
		got := NewExplorerAnswer(c.in)
		if got.Text != c.text || got.Note != c.note {
			t.Errorf("%s: %q, %q, want %q, %q", name, got.Text, got.Note, c.text, c.note)
		}
	}
}

// R4: JSON that is nested so deeply that its lines would be gigabytes stays as it came.
func TestExplorerAnswerIsBounded(t *testing.T) {
	for _, parts := range [][3]string{{"[", "1", "]"}, {`{"\\":[`, `"[\""`, "]}"}, {"[", "1", "]]"}} {
		const depth = 3000
		body := strings.Repeat(parts[0], depth) + strings.Repeat(parts[1]+",", 3000) + parts[1] + strings.Repeat(parts[2], depth)
		a := Answered{Status: 200, Headers: []models.HeaderLine{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(body)}
		if got := NewExplorerAnswer(a).Text; got != body {
			t.Errorf("%d bytes became %d", len(body), len(got))
		}
	}
	wide := "[" + strings.Repeat("1,", 100_000) + "1]"
	a := Answered{Status: 200, Headers: []models.HeaderLine{{Name: "Content-Type", Value: "application/json"}}, Body: []byte(wide)}
	if got := NewExplorerAnswer(a).Text; !strings.HasPrefix(got, "[\n  1,\n") {
		t.Errorf("%.20q", got)
	}
}

func TestExplorerSummary(t *testing.T) {
	for want, in := range map[string]Answered{
		"200 OK, 7 ms, 1 point":                {Status: 200, Reason: "OK", Took: 7 * time.Millisecond, Points: 1, Known: true},
		"402 Payment Required, 0 ms, 0 points": {Status: 402, Reason: "Payment Required", Known: true},
		"299, 1,000 ms, points not known":      {Status: 299, Took: time.Second},
	} {
		if got := NewExplorerAnswer(in).Summary(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The page holds the place of the token, never the token.
func TestExplorerCodeHasAPlaceForTheToken(t *testing.T) {
	choice := chosenRoute()
	request, err := models.ExplorerInput{Method: "GET"}.Validate(choice.Route)
	if err != nil {
		t.Fatal(err)
	}
	view := NewExplorerView(choice).WithCode(choice, request)
	for _, sample := range view.Code.Samples {
		var b strings.Builder
		for _, part := range sample.Parts {
			b.WriteString(part.Text)
		}
		if !strings.Contains(b.String(), "Bearer ACCESS_TOKEN") || !strings.Contains(b.String(), baseURL+"/v1") {
			t.Errorf("%s: %s", sample.Lang, b.String())
		}
	}
}
