// A GraphQL server and a client over WebSockets, both of graphql-ws as it comes.
//   graphql-ws.mjs serve        prints the port, then a line for each connection and its end
//   graphql-ws.mjs subscribe    reads an address, prints a line for each result and the end
import { GraphQLObjectType, GraphQLSchema, GraphQLString, GraphQLInt } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { readFileSync } from 'node:fs';
import { WebSocket, WebSocketServer } from 'ws';

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

async function* count() {
  for (let i = 0; ; i++) {
    yield { count: i };
    await new Promise((done) => setTimeout(done, 20));
  }
}

function serve() {
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { count: { type: GraphQLInt, subscribe: count } } }),
  });
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/graphql', perMessageDeflate: { threshold: 1 } });
  server.on('listening', () => say({ port: server.address().port }));
  server.on('connection', (socket, request) => {
    say({ url: request.url, headers: request.headers });
    socket.on('close', (code) => say({ closed: code }));
  });
  useServer({ schema }, server);
}

function subscribe() {
  const client = createClient({
    url: readFileSync(0, 'utf8').trim(),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: { closed: (event) => say({ closed: event.code, reason: event.reason }) },
  });
  client.subscribe({ query: 'subscription { count }' }, {
    next: (result) => say({ next: result.data.count }),
    error: () => {},
    complete: () => say({ complete: true }),
  });
}

({ serve, subscribe })[process.argv[2]]();
