package store

import (
	"encoding/json"
	"testing"

	"github.com/latchkey/latchkey/models"
)

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
	for _, text := range []string{"", "null", "1", "{", `{"node":1}`, `{"notices":{}}`, `{"notices":[null]}`, "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		heard := 0
		feed := &pgFeed{node: node, hear: func([]string, []models.Notice) { heard++ }}
		feed.take(payload)
		var message pgMessage
		own := json.Unmarshal([]byte(payload), &message) == nil && message.Node == node.String()
		if own && heard+int(feed.missed) != 0 || !own && heard+int(feed.missed) != 1 {
			t.Errorf("%q: heard %d times, all forgotten %d times, own %v", payload, heard, feed.missed, own)
		}
		if message.Node == "" && feed.missed == 0 {
			t.Errorf("%q, which no node said, is taken for a message", payload)
		}
	})
}
