import * as oauth from "oauth4webapi";
import { authentication, describer, otherKey, privateKey, verified } from "./panva.mjs";
import { input, step } from "./steps.cjs";

const options = { [oauth.allowInsecureRequests]: true };
const client = { client_id: input.client_id };
const jwt = input.auth === "private_key_jwt";
const auth = authentication(oauth, input.client_secret, jwt && (await privateKey()));
const wrong = authentication(oauth, input.client_secret + "x", jwt && (await otherKey()));
const run = (name, act) => step(name, act, describer(oauth));
let as;

async function token(auth, parameters) {
	const response = await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, options);
	return { token: await oauth.processClientCredentialsResponse(as, client, response) };
}

async function introspect(client, auth, token) {
	const response = await oauth.introspectionRequest(as, client, auth, token, options);
	return { answer: await oauth.processIntrospectionResponse(as, client, response) };
}

async function verify(token) {
	const target = new URL(input.base + "/oauth2/verify");
	return verified(await oauth.protectedResourceRequest(token, "GET", target, undefined, undefined, options));
}

await run("discovery", async () => {
	const issuer = new URL(input.base);
	const response = await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" });
	as = await oauth.processDiscoveryResponse(issuer, response);
	return { metadata: as };
});
const access = (await run("token", () => token(auth, { scope: input.scope }))).token.access_token;
const other = (await run("token without scope", () => token(auth, {}))).token.access_token;
await run("verify", () => verify(access));
await run("introspect", () => introspect(client, auth, access));
const server = { client_id: input.resource_server.id };
const serverAuth = oauth.ClientSecretBasic(input.resource_server.secret);
await run("introspect as resource server", () => introspect(server, serverAuth, access));
await run("revoke", async () => {
	await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, access, options));
	return {};
});
await run("introspect after revoke", () => introspect(client, auth, access));
await run("introspect after revoke as resource server", () => introspect(server, serverAuth, access));
await run("verify after revoke", () => verify(access));
await run("wrong secret", () => token(wrong, { scope: input.scope }));
await run("introspect with wrong secret", () => introspect(client, wrong, other));
await run("revoke with wrong secret", async () => {
	await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, wrong, other, options));
});
await run("refused scope", () => token(auth, { scope: input.refused_scope }));
