package snippet

import (
	"strings"

	"github.com/latchkey/latchkey/views/ui"
)

func golang(r Request) []ui.CodePart {
	c := &code{language: inC}
	c.key("package").text(" main\n\n").key("import").text(" (\n\t").str("fmt").text("\n\t").str("io").text("\n\t").str("log").text("\n\t").str("net/http")
	if r.Body != "" {
		c.text("\n\t").str("strings")
	}
	c.text("\n)\n\n").key("func").text(" main() {\n\trequest, err := http.NewRequest(").str(r.Method).text(", ").str(r.URL).text(", ")
	if r.Body == "" {
		c.key("nil")
	} else {
		c.text("strings.NewReader(").str(r.Body).text(")")
	}
	c.text(")\n\t").failed().text("\trequest.Header.Set(").str("Authorization").text(", ").bearer("", r.Token).text(")\n")
	for _, h := range r.Headers {
		c.text("\trequest.Header.Set(").str(h.Name).text(", ").str(h.Value).text(")\n")
	}
	c.text("\tresponse, err := http.DefaultClient.Do(request)\n\t").failed().text("\t").key("defer").text(" response.Body.Close()\n")
	c.text("\tbody, err := io.ReadAll(response.Body)\n\t").failed().text("\tfmt.Printf(").str("%d\n%s\n").text(", response.StatusCode, body)\n}")
	return c.parts
}

func (c *code) failed() *code {
	return c.key("if").text(" err != ").key("nil").text(" {\n\t\tlog.Fatal(err)\n\t}\n")
}

func java(r Request) []ui.CodePart {
	c := &code{language: inJava}
	for _, name := range []string{"URI", "http.HttpClient", "http.HttpRequest", "http.HttpResponse"} {
		c.key("import").text(" java.net." + name + ";\n")
	}
	c.text("\n").key("public class").text(" Call {\n    ").key("public static void").text(" main(String[] args) ").key("throws").text(" Exception {\n")
	c.text("        var request = HttpRequest.newBuilder(URI.create(").str(r.URL).text("))\n            .header(").str("Authorization").text(", ").bearer("", r.Token)
	for _, h := range r.Headers {
		c.text(")\n            .header(").str(h.Name).text(", ").str(h.Value)
	}
	c.text(")\n            .method(").str(r.Method).text(", HttpRequest.BodyPublishers.")
	if r.Body == "" {
		c.text("noBody()")
	} else {
		c.text("ofString(").str(r.Body).text(")")
	}
	c.text(")\n            .build();\n        var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());\n")
	c.text("        System.out.println(response.statusCode());\n        System.out.println(response.body());\n    }\n}")
	return c.parts
}

func csharp(r Request) []ui.CodePart {
	c := &code{language: inC}
	c.key("using").text(" System.Net.Http;\n").key("using").text(" System.Text;\n\n").key("using").text(" var client = ").key("new").text(" HttpClient();\n")
	c.key("using").text(" var request = ").key("new").text(" HttpRequestMessage(").key("new").text(" HttpMethod(").str(r.Method).text("), ").str(r.URL).text(");\n")
	c.text("request.Headers.TryAddWithoutValidation(").str("Authorization").text(", ").bearer("", r.Token).text(");\n")
	var ofBody []Header
	for _, h := range r.Headers {
		if isOfBody(h.Name) {
			ofBody = append(ofBody, h)
			continue
		}
		c.text("request.Headers.TryAddWithoutValidation(").str(h.Name).text(", ").str(h.Value).text(");\n")
	}
	if r.Body != "" || len(ofBody) > 0 {
		c.text("request.Content = ").key("new").text(" ByteArrayContent(Encoding.UTF8.GetBytes(").str(r.Body).text("));\n")
	}
	for _, h := range ofBody {
		c.text("request.Content.Headers.TryAddWithoutValidation(").str(h.Name).text(", ").str(h.Value).text(");\n")
	}
	c.key("using").text(" var response = ").key("await").text(" client.SendAsync(request);\nConsole.WriteLine((").key("int").text(")response.StatusCode);\n")
	c.text("Console.WriteLine(").key("await").text(" response.Content.ReadAsStringAsync());")
	return c.parts
}

// isOfBody tells which headers .NET keeps with the content.
func isOfBody(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "content-") || lower == "allow" || lower == "expires" || lower == "last-modified"
}
