package gatewaytest

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/graph-gophers/graphql-go"
)

// Schema is what /graphql answers.
const Schema = `
	schema { query: Query mutation: Mutation subscription: Subscription }
	type Query { hello(name: String = "world"): String! books: [Book!]! }
	type Book { title: String! pages: Int! }
	type Mutation { echo(text: String!): String! }
	type Subscription { count(to: Int!): Int! ticks: Int! }
`

type resolver struct{}

type book struct {
	Title string
	Pages int32
}

// Hello is a field of Schema.
func (resolver) Hello(args struct{ Name string }) string { return "hello " + args.Name }

// Books is a field of Schema.
func (resolver) Books() []book { return []book{{"On keys", 200}, {"On gates", 150}} }

// Echo is a field of Schema.
func (resolver) Echo(args struct{ Text string }) string { return args.Text }

// Count counts and ends.
func (resolver) Count(ctx context.Context, args struct{ To int32 }) <-chan int32 {
	return numbers(ctx, args.To)
}

// Ticks sends one number and stays open.
func (resolver) Ticks(ctx context.Context) <-chan int32 { return numbers(ctx, -1) }

// numbers sends those below to, or one and no end.
func numbers(ctx context.Context, to int32) <-chan int32 {
	out := make(chan int32)
	go func() {
		defer close(out)
		for i := int32(0); to < 0 && i == 0 || i < to; i++ {
			select {
			case out <- i:
			case <-ctx.Done():
				return
			}
		}
		if to < 0 {
			<-ctx.Done()
		}
	}()
	return out
}

type query struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

// graphQL answers queries over POST and subscriptions over the graphql-transport-ws protocol.
func graphQL(t testing.TB) http.HandlerFunc {
	t.Helper()
	schema, err := graphql.ParseSchema(Schema, &resolver{}, graphql.UseFieldResolvers())
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			subscribe(schema, w, r)
			return
		}
		var asked query
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, "no JSON", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(schema.Exec(r.Context(), asked.Query, asked.OperationName, asked.Variables))
	}
}

// message is one of the protocol graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func subscribe(schema *graphql.Schema, w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ends := map[string]context.CancelFunc{}
	for {
		var in message
		if wsjson.Read(ctx, socket, &in) != nil {
			return
		}
		switch in.Type {
		case "connection_init":
			_ = wsjson.Write(ctx, socket, message{Type: "connection_ack"})
		case "ping":
			_ = wsjson.Write(ctx, socket, message{Type: "pong"})
		case "subscribe":
			own, end := context.WithCancel(ctx)
			ends[in.ID] = end
			go send(own, schema, socket, in)
		case "complete":
			if end := ends[in.ID]; end != nil {
				end()
			}
		}
	}
}

// send sends the results of one operation until it is complete.
func send(ctx context.Context, schema *graphql.Schema, socket *websocket.Conn, in message) {
	var asked query
	if json.Unmarshal(in.Payload, &asked) != nil {
		return
	}
	results, err := schema.Subscribe(ctx, asked.Query, asked.OperationName, asked.Variables)
	if err != nil {
		return
	}
	for result := range results {
		payload, err := json.Marshal(result)
		if err != nil || wsjson.Write(ctx, socket, message{ID: in.ID, Type: "next", Payload: payload}) != nil {
			return
		}
	}
	_ = wsjson.Write(ctx, socket, message{ID: in.ID, Type: "complete"})
}
