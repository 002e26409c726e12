// The GraphQL editor of the Explorer. It takes the place of the plain form, which works
// without it. Requests go to our own server, which holds the token; nothing is kept in
// the browser.
import { GraphiQL } from "graphiql";
import { parse } from "graphql";
import { createClient } from "graphql-ws";
import { setNonce } from "get-nonce";
import { createElement as h } from "react";
import { createRoot } from "react-dom/client";

const box = document.getElementById("graphql");
const plain = document.getElementById("graphql-plain");
const status = document.getElementById("graphql-status");
const codeForm = document.getElementById("graphql-code");
const { action, route, token, nonce, socket } = box.dataset;

// What stops a page from scrolling behind a dialog is a style element.
setNonce(nonce);

const problem = (message) => ({ errors: [{ message }] });

// What the editor tells of a query comes a moment late, so it is read here.
const isSubscription = (query, name) => {
  try {
    return parse(query).definitions.some((d) => d.operation === "subscription" && (!name || d.name?.value === name));
  } catch {
    return false; // the API says what is wrong with it
  }
};

// The server runs one request of a person at a time, so they wait for each other here.
let before = Promise.resolve();
function inTurn(run) {
  const mine = before.then(run);
  before = mine.catch(() => {});
  return mine;
}

const headerLines = (headers) => Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`).join("\n");

const failed = (answer, response) => {
  if (answer.confirm) return `Confirm that it is you, then run it again: open ${new URL(answer.confirm, location.href)} in another tab.`;
  if (answer.error) return answer.error;
  if (!response.ok) return response.status === 429 ? "Another request of yours is still running. Run this one again when it has ended." : `Latchkey answered ${response.status}. Load the page again.`;
  return "";
};

const post = (to, fields) => fetch(to, {
  method: "POST",
  body: new URLSearchParams(fields),
  headers: { Accept: "application/json" },
  credentials: "same-origin",
});

async function send({ query, variables, operationName }, headers) {
  const fields = { route, token, query, headers: headerLines(headers) };
  if (variables) fields.variables = JSON.stringify(variables);
  if (operationName) fields.operation = operationName;
  const response = await post(action, fields);
  const answer = await response.json().catch(() => ({}));
  const wrong = failed(answer, response);
  if (wrong) return problem(wrong);
  status.textContent = answer.summary;
  try {
    return JSON.parse(answer.body);
  } catch {
    return problem(`${answer.summary}\n${answer.body}`);
  }
}

// Each subscription has a WebSocket of its own, since a ticket opens one.
const socketAddress = async () => {
  const response = await post(socket, { route, token });
  const answer = await response.json().catch(() => ({}));
  const wrong = failed(answer, response);
  if (wrong) throw new Error(wrong);
  return answer.url;
};

async function* subscribe({ query, variables, operationName }) {
  const client = createClient({ url: socketAddress, retryAttempts: 0 });
  try {
    yield* client.iterate({ query, variables, operationName });
  } catch (error) {
    if (!(error instanceof CloseEvent)) throw error;
    throw new Error(`The WebSocket was closed: ${error.code} ${error.reason}`.trim());
  } finally {
    client.dispose();
  }
}

const fetcher = (params, options) => {
  if (!isSubscription(params.query, params.operationName)) return inTurn(() => send(params, options?.headers));
  if (socket) return subscribe(params);
  return problem("This route takes no WebSockets, over which subscriptions run. Whoever runs Latchkey can add the option ws to it.");
};

// A browser is often shared: queries, variables and headers go when the page goes.
const kept = new Map();
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
  removeItem: (key) => kept.delete(key),
  clear: () => kept.clear(),
  get length() { return kept.size; },
};

const typed = { query: "", variables: "", headers: "" };
const field = (name) => plain.querySelector(`[name="${name}"]`).value;

codeForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  // The editor tells of a change a moment late.
  typed.query = box.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror.getValue() ?? typed.query;
  let headers = "";
  try {
    headers = headerLines(JSON.parse(typed.headers || "{}"));
  } catch {
    // What is no JSON yet is left out, as it is when the query runs.
  }
  for (const [name, value] of Object.entries({ ...typed, headers })) codeForm.elements[name].value = value;
  try {
    const response = await fetch(codeForm.action, { method: "POST", body: new URLSearchParams(new FormData(codeForm)), credentials: "same-origin" });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const code = document.adoptNode(page.getElementById("ex-code"));
    document.getElementById("ex-code").replaceWith(code);
    code.scrollIntoView({ block: "start" });
    code.querySelector("pre, input:checked")?.focus({ preventScroll: true });
  } catch {
    codeForm.submit();
  }
});

/* The editors' own text areas have no name for screen readers. */
const names = { "graphiql-query-editor": "Query", "graphiql-response": "Answer", "graphiql-editor-tool": "Variables or headers" };
new MutationObserver(() => {
  for (const area of box.querySelectorAll(".CodeMirror textarea:not([aria-label])")) {
    const place = Object.keys(names).find((name) => area.closest("." + name));
    area.setAttribute("aria-label", names[place] ?? "Editor");
  }
}).observe(box, { childList: true, subtree: true });

const keep = (name) => (value) => { typed[name] = value ?? ""; };
typed.query = field("query");
typed.variables = field("variables");
plain.hidden = true;
box.hidden = false;
codeForm.hidden = false;
createRoot(box).render(
  h(GraphiQL, {
    fetcher,
    storage,
    query: typed.query || undefined,
    variables: typed.variables || undefined,
    defaultQuery: "{\n  __typename\n}\n",
    forcedTheme: document.documentElement.dataset.theme ?? "system",
    showPersistHeadersSettings: false,
    shouldPersistHeaders: false,
    onEditQuery: keep("query"),
    onEditVariables: keep("variables"),
    onEditHeaders: keep("headers"),
  }),
);
