package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request is what wrk and Go's client both send.
type request struct {
	method, path, body string
	headers            [][2]string
}

// line is the request as lua/common.lua reads it.
func (r request) line() string {
	parts := []string{r.method, r.path, r.body}
	for _, h := range r.headers {
		parts = append(parts, h[0]+": "+h[1])
	}
	return strings.Join(parts, "\t") + "\n"
}

// answer is what came back in the end.
type answer struct {
	status int
	path   string
	header http.Header
	body   string
}

// http1 sends one request and reads the answer.
func http1(ctx context.Context, client *http.Client, base string, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, base+r.path, strings.NewReader(r.body)) //nolint:gosec // a server that was started here
	if err != nil {
		return answer{}, err
	}
	for _, h := range r.headers {
		req.Header.Set(h[0], h[1])
	}
	return do(client, req)
}

func do(client *http.Client, req *http.Request) (answer, error) {
	res, err := client.Do(req) //nolint:gosec // a server that was started here
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Request.URL.Path, res.Header, string(body)}, err
}

// post sends a form and follows where it leads.
func (l *lab) post(ctx context.Context, client *http.Client, path string, form url.Values, header http.Header) (answer, error) {
	body := strings.NewReader(form.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.web.base+path, body) //nolint:gosec // a server that was started here
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", formType)
	return do(client, req)
}

const formType = "application/x-www-form-urlencoded"

var errUnexpected = errors.New("not the answer that was expected")

func orUnexpected(err error) error {
	if err == nil {
		return errUnexpected
	}
	return err
}
