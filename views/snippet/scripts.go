package snippet

import "github.com/latchkey/latchkey/views/ui"

func curl(r Request) []ui.CodePart {
	c := &code{language: inShell}
	c.text("curl ")
	switch r.Method {
	case "GET":
	case "HEAD":
		c.text("--head ")
	default:
		c.text("-X " + r.Method + " ")
	}
	c.str(r.URL).text(" \\\n  -H ").bearer("Authorization: ", r.Token)
	for _, h := range r.Headers {
		c.text(" \\\n  -H ").str(headerLine(h))
	}
	if r.Body != "" {
		c.text(" \\\n  --data-raw ").str(r.Body)
	}
	return c.parts
}

// headerLine is a header as curl takes it, which leaves out one without a value but for a
// semicolon.
func headerLine(h Header) string {
	if h.Value == "" {
		return h.Name + ";"
	}
	return h.Name + ": " + h.Value
}

func python(r Request) []ui.CodePart {
	c := &code{language: inC}
	c.key("import").text(" requests\n\nresponse = requests.request(\n    ").str(r.Method).text(",\n    ").str(r.URL)
	c.text(",\n    headers={\n        ").str("Authorization").text(": ").bearer("", r.Token)
	for _, h := range r.Headers {
		c.text(",\n        ").str(h.Name).text(": ").str(h.Value)
	}
	c.text(",\n    }")
	if r.Body != "" {
		c.text(",\n    data=").str(r.Body).text(".encode()")
	}
	c.text(",\n    timeout=30,\n)\nprint(response.status_code)\nprint(response.text)")
	return c.parts
}

func javaScript(r Request) []ui.CodePart {
	c := &code{language: inScript}
	c.key("const").text(" response = ").key("await").text(" fetch(").str(r.URL).text(", {\n  method: ").str(r.Method)
	c.text(",\n  headers: {\n    ").str("Authorization").text(": ").bearer("", r.Token)
	for _, h := range r.Headers {
		c.text(",\n    ").str(h.Name).text(": ").str(h.Value)
	}
	c.text(",\n  }")
	if r.Body != "" {
		c.text(",\n  body: ").str(r.Body)
	}
	c.text(",\n});\nconsole.log(response.status);\nconsole.log(").key("await").text(" response.text());")
	return c.parts
}

func php(r Request) []ui.CodePart {
	c := &code{language: inPHP}
	c.text("<?php\n\n$curl = curl_init(").str(r.URL).text(");\ncurl_setopt_array($curl, [\n    CURLOPT_CUSTOMREQUEST => ").str(r.Method)
	if r.Method == "HEAD" {
		c.text(",\n    CURLOPT_NOBODY => ").key("true")
	}
	c.text(",\n    CURLOPT_RETURNTRANSFER => ").key("true").text(",\n    CURLOPT_TIMEOUT => 30,\n    CURLOPT_HTTPHEADER => [\n        ").bearer("Authorization: ", r.Token)
	for _, h := range r.Headers {
		c.text(",\n        ").str(headerLine(h))
	}
	c.text(",\n    ]")
	if r.Body != "" {
		c.text(",\n    CURLOPT_POSTFIELDS => ").str(r.Body)
	}
	c.text(",\n]);\n$body = curl_exec($curl);\n").key("if").text(" ($body === ").key("false").text(") {\n    ").key("throw new").text(" RuntimeException(curl_error($curl));\n}\n")
	c.key("echo").text(" curl_getinfo($curl, CURLINFO_RESPONSE_CODE), PHP_EOL, $body;")
	return c.parts
}

func ruby(r Request) []ui.CodePart {
	c := &code{language: inRuby}
	class := map[string]string{"GET": "Get", "POST": "Post", "PUT": "Put", "PATCH": "Patch", "DELETE": "Delete", "HEAD": "Head", "OPTIONS": "Options"}[r.Method]
	c.key("require").text(" ").str("net/http").text("\n\nuri = URI(").str(r.URL).text(")\nrequest = Net::HTTP::"+class+".new(uri)\nrequest[").str("Authorization").text("] = ").bearer("", r.Token)
	for _, h := range r.Headers {
		c.text("\nrequest[").str(h.Name).text("] = ").str(h.Value)
	}
	if r.Body != "" {
		c.text("\nrequest.body = ").str(r.Body)
	}
	c.text("\n\nresponse = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == ").str("https").text(") { |http| http.request(request) }\nputs response.code, response.body")
	return c.parts
}
