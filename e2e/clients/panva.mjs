// What the programs of oauth4webapi and openid-client share: the second is built
// on the first and throws its errors.
import { input } from "./steps.cjs";

const algorithms = {
	ES256: { name: "ECDSA", namedCurve: "P-256" },
	RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
	PS256: { name: "RSA-PSS", hash: "SHA-256" },
	Ed25519: { name: "Ed25519" },
	EdDSA: { name: "Ed25519" },
};

// privateKey is the key that the application has registered.
export function privateKey() {
	return crypto.subtle.importKey("pkcs8", Buffer.from(input.key, "base64"), algorithms[input.alg], false, ["sign"]);
}

// otherKey is one that nobody has registered.
export async function otherKey() {
	const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
	const pair = await crypto.subtle.generateKey({ ...rsa, ...algorithms[input.alg] }, false, ["sign", "verify"]);
	return pair.privateKey;
}

// oldName is for servers that do not know Ed25519 by its name in RFC 9864, which
// these clients use.
const oldName = (lib) => ({ [lib.modifyAssertion]: (header) => Object.assign(header, { alg: "EdDSA" }) });

// authentication is the client's own, by the method that was asked for.
export function authentication(lib, secret, key) {
	switch (input.auth) {
		case "client_secret_basic":
			return lib.ClientSecretBasic(secret);
		case "client_secret_post":
			return lib.ClientSecretPost(secret);
		default:
			return lib.PrivateKeyJwt({ key, kid: input.kid }, input.alg === "EdDSA" ? oldName(lib) : undefined);
	}
}

// describer tells the client's errors. It reports the challenge of a 401 before
// the body and leaves that to be read.
export function describer(lib) {
	return async (err) => {
		if (err instanceof lib.ResponseBodyError) {
			return { type: err.name, code: err.error, description: err.error_description, status: err.status };
		}
		if (!(err instanceof lib.WWWAuthenticateChallengeError)) {
			return { type: err.name, description: `${err.message} ${err.cause ?? ""}` };
		}
		const [{ scheme, parameters }] = err.cause;
		const body = scheme === "basic" ? await err.response.json() : parameters;
		return { type: err.name, scheme, code: body.error, description: body.error_description, status: err.status };
	};
}

export function verified(response) {
	return { status: response.status, scope: response.headers.get("X-Latchkey-Scope") };
}
