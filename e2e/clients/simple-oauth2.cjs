"use strict";
const { ClientCredentials } = require("simple-oauth2");
const { input, step } = require("./steps.cjs");

function client(secret) {
	return new ClientCredentials({
		client: { id: input.client_id, secret },
		auth: { tokenHost: input.base, tokenPath: "/oauth2/token", revokePath: "/oauth2/revoke" },
		options: { authorizationMethod: input.auth === "client_secret_post" ? "body" : "header" },
	});
}

// describe tells the errors of Boom, which this client throws.
function describe(err) {
	const { error, error_description } = err.data?.payload ?? {};
	return {
		type: err.isBoom ? "Boom" : err.name, code: error, description: error_description ?? err.message,
		status: err.output?.statusCode,
	};
}

const run = (name, act) => step(name, act, describe);

async function verify(token) {
	const response = await fetch(input.base + "/oauth2/verify", { headers: { Authorization: `Bearer ${token}` } });
	return { status: response.status, scope: response.headers.get("X-Latchkey-Scope") };
}

async function main() {
	const right = client(input.client_secret);
	const wrong = client(input.client_secret + "x");
	const get = async (client, params) => ({ token: await client.getToken(params) });

	const { token } = await run("token", () => get(right, { scope: input.scope }));
	const other = await run("token without scope", () => get(right, {}));
	await run("verify", () => verify(token.token.access_token));
	await run("revoke with wrong secret", async () => {
		await wrong.createToken(other.token.token).revoke("access_token");
	});
	await run("revoke", async () => {
		await token.revoke("access_token");
	});
	await run("verify after revoke", () => verify(token.token.access_token));
	await run("wrong secret", () => get(wrong, { scope: input.scope }));
	await run("refused scope", () => get(right, { scope: input.refused_scope }));
}

main();
