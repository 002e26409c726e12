package store

import (
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/latchkey/latchkey/models"
)

// A message is never longer than PostgreSQL takes, and says so where it leaves something out.
func TestMessagesFit(t *testing.T) {
	id := NewID()
	full := models.Notice{TokenHash: make([]byte, 32), TokenID: id, ApplicationID: id, ClientID: id, TeamID: id, TeamTokens: true}
	for n := range 2 * mostNotices {
		sent := pgMessage{Node: id, Teams: []string{id, id}, Notices: slices.Repeat([]models.Notice{full}, n)}
		text, err := sent.text()
		if err != nil || len(text) >= 8000 {
			t.Fatalf("%d notices: %d bytes, %v", n, len(text), err)
		}
		var got pgMessage
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Notices) != n && !got.All || got.Node != id || len(got.Teams) != 2 {
			t.Errorf("%d notices: %+v, %v", n, got, err)
		}
	}
}

// Where only the way of the connection that listens is closed, others are left alone.
func TestConnectionsStayWhileNobodyListens(t *testing.T) {
	config, err := pgx.ParseConfig("postgres://latchkey@127.0.0.1:1/latchkey?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	var lost atomic.Int32
	feed := newPgFeed(config, &nodeName{}, nil, func() { lost.Add(1) })
	defer feed.close()
	for range 3 {
		if _, err := feed.version(t.Context()); !errors.Is(err, models.ErrUnavailable) {
			t.Errorf("version: %v", err)
		}
	}
	if n := lost.Load(); n != 0 {
		t.Errorf("connections were let go of %d times", n)
	}
}

// What a newer program says that this one does not know may be about anything.
func TestMessagesOfANewerProgram(t *testing.T) {
	for _, payload := range []string{
		`{"node":"other","notices":[{"TokenHash":null,"UserID":"ana"}]}`, `{"node":"other","notices":[],"users":["ana"]}`,
	} {
		heard := 0
		feed := &pgFeed{node: &nodeName{}, hear: func([]string, []models.Notice) { heard++ }}
		feed.node.renew()
		feed.take(payload)
		if feed.missed != 1 || heard != 0 {
			t.Errorf("%s: all forgotten %d times, heard %d times", payload, feed.missed, heard)
		}
	}
}

// Whatever comes by NOTIFY is applied, is this node's own, or makes everything forgotten:
// nothing is passed over.
func FuzzMessages(f *testing.F) {
	node := &nodeName{}
	node.renew()
	for _, message := range []pgMessage{
		{Node: "other", Teams: []string{"team"}, Notices: []models.Notice{{TokenHash: []byte("hash"), TeamID: "team"}}},
		{Node: "other", All: true}, {Node: node.String(), All: true}, {Node: node.String(), Notices: []models.Notice{{ClientID: "client"}}}, {},
	} {
		text, err := json.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{"", "null", "1", "{", `{"node":1}`, `{"notices":{}}`, `{"notices":[null]}`, "\x00", `{"node":"other"}{"node":"other"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		heard := 0
		feed := &pgFeed{node: node, hear: func([]string, []models.Notice) { heard++ }}
		feed.take(payload)
		message, err := readMessage(payload)
		own := err == nil && message.Node == node.String()
		if own && heard+int(feed.missed) != 0 || !own && heard+int(feed.missed) == 0 {
			t.Errorf("%q: heard %d times, all forgotten %d times, own %v", payload, heard, feed.missed, own)
		}
		if (err != nil || message.Node == "" || message.All && !own) && feed.missed != 1 {
			t.Errorf("%q, which may mean anything, is taken for a message", payload)
		}
	})
}
