package views

import "github.com/latchkey/latchkey/views/ui"

func plain(text string) ui.CodePart   { return ui.CodePart{Text: text} }
func str(text string) ui.CodePart     { return ui.CodePart{Kind: ui.CodeString, Text: text} }
func keyword(text string) ui.CodePart { return ui.CodePart{Kind: ui.CodeKeyword, Text: text} }

func samples(id, what string, curl, python, golang, javascript []ui.CodePart) ui.CodePanel {
	return ui.CodePanel{ID: id, What: what, Samples: []ui.CodeSample{
		{Lang: "curl", Title: "curl", Parts: curl},
		{Lang: "python", Title: "Python", Parts: python},
		{Lang: "go", Title: "Go", Parts: golang},
		{Lang: "javascript", Title: "JavaScript", Parts: javascript},
	}}
}

// tokenSamples asks the token endpoint for a token.
func tokenSamples(id, baseURL, clientID string, secret ui.CodePart, scope string) ui.CodePanel {
	url := baseURL + "/oauth2/token"
	return samples(id, "Get a token", tokenCurl(url, clientID, secret, scope), tokenPython(url, clientID, secret, scope),
		tokenGo(url, clientID, secret, scope), tokenJavaScript(url, clientID, secret, scope))
}

func tokenCurl(url, clientID string, secret ui.CodePart, scope string) []ui.CodePart {
	return []ui.CodePart{
		plain("curl -X POST " + url + " \\\n  -H "), str(`"Content-Type: application/x-www-form-urlencoded"`),
		plain(" \\\n  --data-urlencode "), str(`"grant_type=client_credentials"`),
		plain(" \\\n  --data-urlencode "), str(`"client_id=` + clientID + `"`),
		plain(" \\\n  --data-urlencode "), str(`"client_secret=`), secret, str(`"`),
		plain(" \\\n  --data-urlencode "), str(`"scope=` + scope + `"`),
	}
}

func tokenPython(url, clientID string, secret ui.CodePart, scope string) []ui.CodePart {
	return []ui.CodePart{
		keyword("import"), plain(" requests\n\nresponse = requests.post(\n    "), str(`"` + url + `"`),
		plain(",\n    data={\n        "), str(`"grant_type"`), plain(": "), str(`"client_credentials"`),
		plain(",\n        "), str(`"client_id"`), plain(": "), str(`"` + clientID + `"`),
		plain(",\n        "), str(`"client_secret"`), plain(": "), str(`"`), secret, str(`"`),
		plain(",\n        "), str(`"scope"`), plain(": "), str(`"` + scope + `"`),
		plain(",\n    },\n    timeout=10,\n)\nresponse.raise_for_status()\ntoken = response.json()["), str(`"access_token"`), plain("]"),
	}
}

func tokenGo(url, clientID string, secret ui.CodePart, scope string) []ui.CodePart {
	return []ui.CodePart{
		keyword("import"), plain(" "), str(`"golang.org/x/oauth2/clientcredentials"`),
		plain("\n\nconfig := clientcredentials.Config{\n\tClientID:     "), str(`"` + clientID + `"`),
		plain(",\n\tClientSecret: "), str(`"`), secret, str(`"`),
		plain(",\n\tTokenURL:     "), str(`"` + url + `"`),
		plain(",\n\tScopes:       []string{"), str(`"` + scope + `"`),
		plain("},\n}\ntoken, err := config.Token(context.Background())"),
	}
}

func tokenJavaScript(url, clientID string, secret ui.CodePart, scope string) []ui.CodePart {
	return []ui.CodePart{
		keyword("const"), plain(" response = "), keyword("await"), plain(" fetch("), str(`"` + url + `"`),
		plain(", {\n  method: "), str(`"POST"`),
		plain(",\n  body: "), keyword("new"), plain(" URLSearchParams({\n    grant_type: "), str(`"client_credentials"`),
		plain(",\n    client_id: "), str(`"` + clientID + `"`),
		plain(",\n    client_secret: "), str(`"`), secret, str(`"`),
		plain(",\n    scope: "), str(`"` + scope + `"`),
		plain(",\n  }),\n});\n"), keyword("if"), plain(" (!response.ok) "), keyword("throw new"), plain(" Error("), keyword("await"), plain(" response.text());\n"),
		keyword("const"), plain(" { access_token } = "), keyword("await"), plain(" response.json();"),
	}
}

// callSamples sends a request with a token to an API behind Latchkey.
func callSamples(id string) ui.CodePanel {
	const api = "https://api.example.com/"
	return samples(id, "Use a token",
		[]ui.CodePart{plain("curl " + api + " \\\n  -H "), str(`"Authorization: Bearer ACCESS_TOKEN"`)},
		[]ui.CodePart{
			keyword("import"), plain(" requests\n\nresponse = requests.get(\n    "), str(`"` + api + `"`),
			plain(",\n    headers={"), str(`"Authorization"`), plain(": "), str(`"Bearer "`), plain(" + token},\n    timeout=10,\n)"),
		},
		[]ui.CodePart{
			plain("request, err := http.NewRequest(http.MethodGet, "), str(`"` + api + `"`), plain(", "), keyword("nil"),
			plain(")\n"), keyword("if"), plain(" err != "), keyword("nil"), plain(" {\n\t"), keyword("return"), plain(" err\n}\nrequest.Header.Set("),
			str(`"Authorization"`), plain(", "), str(`"Bearer "`), plain("+token)\nresponse, err := http.DefaultClient.Do(request)"),
		},
		[]ui.CodePart{
			keyword("const"), plain(" response = "), keyword("await"), plain(" fetch("), str(`"` + api + `"`),
			plain(", {\n  headers: { Authorization: "), str("`Bearer ${access_token}`"), plain(" },\n});"),
		})
}
