// Package snippet writes one HTTP request as a program, in several languages. Each program
// can be run as it stands, once the token is in its place, whatever the request holds.
package snippet

import (
	"strings"

	"github.com/latchkey/latchkey/views/ui"
)

// Request is what is written. URL is ASCII without quotation marks and backslashes, headers
// are ASCII on one line, Body is valid UTF-8.
type Request struct {
	Method, URL string
	Headers     []Header
	Body        string
	// Token stands for the bearer token: its own characters, or a place to fill in.
	Token ui.CodePart
}

// Header is one header besides Authorization.
type Header struct{ Name, Value string }

// All writes the request in each language, for a panel.
func All(r Request) []ui.CodeSample {
	r.Headers = merged(r.Headers)
	return []ui.CodeSample{
		{Lang: "curl", Title: "curl", Parts: curl(r)},
		{Lang: "python", Title: "Python", Parts: python(r)},
		{Lang: "go", Title: "Go", Parts: golang(r)},
		{Lang: "javascript", Title: "JavaScript", Parts: javaScript(r)},
		{Lang: "php", Title: "PHP", Parts: php(r)},
		{Lang: "java", Title: "Java", Parts: java(r)},
		{Lang: "csharp", Title: "C#", Parts: csharp(r)},
		{Lang: "ruby", Title: "Ruby", Parts: ruby(r)},
	}
}

// merged writes headers of one name as one (RFC 9110 section 5.3): most languages keep them
// in a dictionary.
func merged(headers []Header) []Header {
	var all []Header
	at := map[string]int{}
	for _, h := range headers {
		key := strings.ToLower(h.Name)
		if i, ok := at[key]; ok {
			all[i].Value += ", " + h.Value
			continue
		}
		at[key] = len(all)
		all = append(all, h)
	}
	return all
}

// code is a program being written, in the strings of one language.
type code struct {
	language
	parts []ui.CodePart
}

func (c *code) text(text string) *code { return c.add(ui.CodePlain, text) }

func (c *code) key(word string) *code { return c.add(ui.CodeKeyword, word) }

func (c *code) str(value string) *code { return c.add(ui.CodeString, c.quote(value)) }

// bearer is the string "Bearer " and the token, after a beginning.
func (c *code) bearer(begin string, token ui.CodePart) *code {
	quoted := c.quote(begin + "Bearer ")
	end := len(quoted) - 1
	c.add(ui.CodeString, quoted[:end])
	c.parts = append(c.parts, token)
	return c.add(ui.CodeString, quoted[end:])
}

func (c *code) add(kind ui.CodeKind, text string) *code {
	c.parts = append(c.parts, ui.CodePart{Kind: kind, Text: text})
	return c
}
