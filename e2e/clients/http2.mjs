// Asks by HTTP/2 alone whether a token is good, twice on one connection, and prints the
// answers as JSON.
import { connect } from "node:http2";
import { readFileSync } from "node:fs";

const [base, ca, token] = process.argv.slice(2);
const session = connect(base, { ca: readFileSync(ca) });
session.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});

const verify = () =>
  new Promise((resolve) => {
    const stream = session.request({ ":path": "/oauth2/verify", authorization: `Bearer ${token}` });
    stream.on("response", (headers) => resolve(headers[":status"]));
    stream.resume();
  });

const statuses = await Promise.all([verify(), verify()]);
console.log(JSON.stringify({ protocol: session.alpnProtocol, encrypted: session.encrypted, statuses }));
session.close();
