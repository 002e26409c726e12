package handlers_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/latchkey/latchkey/models"
)

func postmanSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/postman-collection-v2.1.0.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("collection.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("collection.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestPostmanCollection(t *testing.T) {
	s, _ := explorerSite(t, answerJSON)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	s.application(t, ana, "Bot")
	got := s.signedIn(t, ana).get(explorerPage + "/postman")
	got.expect(t, http.StatusOK)
	if kind := got.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || got.Header.Get("Content-Disposition") != `attachment; filename="latchkey.postman_collection.json"` ||
		!strings.Contains(got.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers: %v", got.Header)
	}
	schema := postmanSchema(t)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
	// As a control, the schema refuses a collection whose requests are not right.
	for _, broken := range [][2]string{{`"mode": "urlencoded"`, `"mode": "letters"`}, {`"type": "bearer"`, `"type": "letters"`}, {`"schema": `, `"scheme": `}} {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(got.body, broken[0], broken[1], 1)))
		if err != nil || schema.Validate(document) == nil {
			t.Errorf("%s passes as well (%v)", broken[1], err)
		}
	}
	var collection struct {
		Item []struct {
			Name    string
			Request struct {
				Method string
				URL    struct{ Raw string }
			}
		}
	}
	if err := json.Unmarshal([]byte(got.body), &collection); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST {{auth_url}}/oauth2/token", "GET {{api_url}}/v1", "POST {{api_url}}/graphql"}
	for i, item := range collection.Item {
		if i >= len(want) || item.Request.Method+" "+item.Request.URL.Raw != want[i] {
			t.Errorf("item %d is %s %s", i, item.Request.Method, item.Request.URL.Raw)
		}
	}
	if len(collection.Item) != len(want) || strings.Contains(got.body, "lk_at_") || strings.Contains(got.body, "lk_cs_") {
		t.Errorf("%d items, or a value in\n%s", len(collection.Item), got.body)
	}
}
