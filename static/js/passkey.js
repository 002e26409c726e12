// Passkeys: a form data-passkey asks the server what to ask the browser for, and
// sends the browser's answer as its field "credential". Where the browser has no
// passkeys the form stays hidden. No inline styles, no eval, no globals.

const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const encode = (buffer) =>
  buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const decodeIDs = (list) => list?.map((item) => ({ ...item, id: decode(item.id) }));

function creationOptions(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  return {
    ...json,
    challenge: decode(json.challenge),
    user: { ...json.user, id: decode(json.user.id) },
    excludeCredentials: decodeIDs(json.excludeCredentials) ?? [],
  };
}

function requestOptions(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: decode(json.challenge), allowCredentials: decodeIDs(json.allowCredentials) ?? [] };
}

/* What the server reads: the same as toJSON() gives where there is one. */
function answerOf(credential) {
  if (credential.toJSON) return credential.toJSON();
  const { response } = credential;
  const answer = { clientDataJSON: encode(response.clientDataJSON) };
  if (response.attestationObject) {
    answer.attestationObject = encode(response.attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = encode(response.authenticatorData);
    answer.signature = encode(response.signature);
    if (response.userHandle) answer.userHandle = encode(response.userHandle);
  }
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: answer,
  };
}

const reasons = new Map([
  ["NotAllowedError", "The browser got no passkey: it was cancelled, or it took too long. Try again."],
  ["InvalidStateError", "This device has a passkey for your account already."],
  ["SecurityError", "Passkeys do not work at this address. Open Latchkey at the address that it was set up for."],
]);

function tell(form, text) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.querySelector("span").textContent = text;
  problem.hidden = text === "";
}

async function run(form) {
  const res = await fetch(form.dataset.options, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
  const json = await res.json().catch(() => ({}));
  if (res.status === 403 && json.confirm?.startsWith("/")) return location.assign(json.confirm);
  if (!res.ok || !json.challenge) return form.submit(); // the page says what is wrong
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creationOptions(json) })
      : await navigator.credentials.get({ publicKey: requestOptions(json) });
  form.elements.namedItem("credential").value = JSON.stringify(answerOf(credential));
  form.submit();
}

document.addEventListener("submit", async (ev) => {
  const form = ev.target.closest("form[data-passkey]");
  if (!form) return;
  ev.preventDefault();
  if (form.dataset.asking !== undefined) return;
  form.dataset.asking = "";
  tell(form, "");
  try {
    await run(form);
  } catch (err) {
    tell(form, reasons.get(err.name) ?? "The browser could not use a passkey. Try again.");
  } finally {
    delete form.dataset.asking;
    delete form.dataset.sent; // of the other script: the form may be sent again
  }
});

if (typeof PublicKeyCredential === "function") {
  document.querySelectorAll("form[data-passkey]").forEach((form) => (form.hidden = false));
  document.querySelectorAll("[data-passkey-without]").forEach((el) => (el.hidden = true));
}
