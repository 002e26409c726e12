package views

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/textproto"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/latchkey/latchkey/models"
)

// Answered is what an API has answered to the Explorer.
type Answered struct {
	Status  int
	Reason  string
	Took    time.Duration
	Headers []models.HeaderLine
	Body    []byte
	// Points is what the call has cost; Known tells that this is known.
	Points int64
	Known  bool
	// Cut tells that there was more than fits, Late that the answer had not ended in time,
	// Broken that the API broke it off.
	Cut, Late, Broken bool
}

// ExplorerAnswer is an answer as the page shows it.
type ExplorerAnswer struct {
	Status, Tone string
	Took         string
	Points       string
	Size         string
	Headers      []models.HeaderLine
	// Text is the body, empty where it is none.
	Text string
	// Note says what is missing.
	Note string
}

const notKnown = "Not known"

// NewExplorerAnswer shows text as it is, JSON in lines, and anything else by its size.
func NewExplorerAnswer(a Answered) *ExplorerAnswer {
	view := &ExplorerAnswer{
		Status: strings.TrimSpace(strconv.Itoa(a.Status) + " " + a.Reason), Tone: httpTone(a.Status), Took: models.FormatNumber(a.Took.Milliseconds()) + " ms",
		Points: notKnown, Size: models.Count(int64(len(a.Body)), "byte"), Headers: a.Headers,
	}
	if a.Known {
		view.Points = models.FormatNumber(a.Points)
	}
	switch {
	case a.Late:
		view.Note = "The answer had not ended after 30 seconds. This is what came until then."
	case a.Broken:
		view.Note = "The API broke the answer off. This is what came until then."
	case a.Cut:
		view.Note = "The answer is longer. This is its first mebibyte."
	}
	view.Text = bodyText(a)
	switch {
	case len(a.Body) == 0:
		view.Note = strings.TrimSpace(view.Note + " The answer has no body.")
	case view.Text == "":
		view.Note = strings.TrimSpace(view.Note + " The body is no text and is not shown.")
	}
	return view
}

// Summary is the answer in one line.
func (a ExplorerAnswer) Summary() string {
	points := a.Points + " points"
	switch a.Points {
	case "1":
		points = "1 point"
	case notKnown:
		points = "points not known"
	}
	return a.Status + ", " + a.Took + ", " + points
}

func httpTone(status int) string {
	switch {
	case status >= 400:
		return "danger"
	case status >= 300:
		return "warning"
	}
	return "success"
}

// bodyText is empty for what is no text.
func bodyText(a Answered) string {
	body := a.Body
	if a.Cut || a.Late || a.Broken {
		// The last character may be half there.
		for range utf8.UTFMax - 1 {
			if utf8.Valid(body) || len(body) == 0 {
				break
			}
			body = body[:len(body)-1]
		}
	}
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return ""
	}
	var lines bytes.Buffer
	if isJSON(a.Headers) && linesLength(body) <= maxLines && json.Indent(&lines, body, "", indent) == nil {
		return lines.String()
	}
	return string(body)
}

const (
	indent = "  "
	// maxLines bounds JSON in lines, in bytes: nested deeply, a mebibyte becomes gigabytes.
	maxLines = 4 << 20
)

// linesLength is how long JSON is in lines, or a little less than that.
func linesLength(body []byte) int {
	length, depth, quoted, escaped := len(body), 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case c == '"':
			quoted = !quoted
		case quoted:
			escaped = c == '\\'
		case c == '{' || c == '[':
			depth++
			length += depth * len(indent)
		case c == '}' || c == ']':
			depth = max(depth-1, 0)
			length += depth * len(indent)
		case c == ',':
			length += depth * len(indent)
		}
	}
	return length
}

func isJSON(headers []models.HeaderLine) bool {
	for _, h := range headers {
		if textproto.CanonicalMIMEHeaderKey(h.Name) == "Content-Type" {
			kind, _, err := mime.ParseMediaType(h.Value)
			return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
		}
	}
	return false
}
