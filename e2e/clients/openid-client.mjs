import * as client from "openid-client";
import { authentication, describer, otherKey, privateKey, verified } from "./panva.mjs";
import { input, step } from "./steps.cjs";

const jwt = input.auth === "private_key_jwt";
const auth = authentication(client, input.client_secret, jwt && (await privateKey()));
const wrongAuth = authentication(client, input.client_secret + "x", jwt && (await otherKey()));
const run = (name, act) => step(name, act, describer(client));
let config;

function discover(id, auth) {
	const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
	return client.discovery(new URL(input.base), id, undefined, auth, options);
}

const token = async (config, parameters) => ({ token: await client.clientCredentialsGrant(config, parameters) });
const introspect = async (config, token) => ({ answer: await client.tokenIntrospection(config, token) });

async function verify(token) {
	return verified(await client.fetchProtectedResource(config, token, new URL(input.base + "/oauth2/verify"), "GET"));
}

await run("discovery", async () => {
	config = await discover(input.client_id, auth);
	return { metadata: config.serverMetadata() };
});
const access = (await run("token", () => token(config, { scope: input.scope }))).token.access_token;
const other = (await run("token without scope", () => token(config))).token.access_token;
await run("verify", () => verify(access));
await run("introspect", () => introspect(config, access));
const server = await discover(input.resource_server.id, client.ClientSecretPost(input.resource_server.secret));
await run("introspect as resource server", () => introspect(server, access));
await run("token as resource server", () => token(server));
await run("revoke", () => client.tokenRevocation(config, access));
await run("introspect after revoke", () => introspect(config, access));
await run("introspect after revoke as resource server", () => introspect(server, access));
await run("verify after revoke", () => verify(access));
const wrong = await discover(input.client_id, wrongAuth);
await run("wrong secret", () => token(wrong, { scope: input.scope }));
await run("introspect with wrong secret", () => introspect(wrong, other));
await run("revoke with wrong secret", () => client.tokenRevocation(wrong, other));
await run("refused scope", () => token(config, { scope: input.refused_scope }));
