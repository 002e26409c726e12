// The box "Check a token": the form of what was pasted is looked at here, and no more
// than the SHA-256 of a token leaves the browser. tokens/pasted.go does the same where
// no script runs.

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const space = "[\\s\\u0085\\u200b-\\u200d\\u2060\\ufeff]";
const quote = "[\"'`,;“”‘’„«»]";
const strip = [
  ["space", new RegExp(`^${space}+|${space}+$`, "g")],
  ["quotes", new RegExp(`^${quote}+|${quote}+$`, "g")],
  ["bearer", /^(authorization:[ \t]*|bearer[\s:]+)/i],
];

function crc32(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/* The last six characters of a token are the CRC-32 of the others, in base62. */
function fits(text) {
  if (text.length > 512) return false;
  let sum = crc32(new TextEncoder().encode(text.slice(0, -6)));
  let check = "";
  for (let i = 0; i < 6; i++) {
    check = digits[sum % 62] + check;
    sum = Math.floor(sum / 62);
  }
  return check === text.slice(-6);
}

function mistake(text) {
  if (text === "") return "empty";
  if (new TextEncoder().encode(text).length > 512) return "long";
  if (/[•…*]/.test(text)) return "masked";
  if (text.startsWith("lk_cs_")) return "secret";
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return "client-id";
  if (text.startsWith("eyJ") && text.split(".").length > 2) return "jwt";
  if (new RegExp(space).test(text)) return "split";
  if (/[^0-9A-Za-z_.-]/.test(text)) return "characters";
  if (!/[0-9A-Za-z]{49}$/.test(text)) return "short";
  if (fits(text)) return "";
  return text.length === 49 ? "prefix" : "digits";
}

/* What is wrong with a text, what stood around it, and what it is without that. */
export function judge(text) {
  const around = [];
  for (let before; before !== text; ) {
    before = text;
    for (const [what, pattern] of strip) {
      const rest = text.replace(pattern, "");
      if (rest !== text && !around.includes(what)) around.push(what);
      text = rest;
    }
  }
  return { mistake: mistake(text), around, value: text };
}

async function sha256(text) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function ask(form, found) {
  const body = new URLSearchParams({ mistake: found.mistake });
  for (const what of found.around) body.append("around", what);
  if (found.mistake === "" || found.mistake === "digits") body.set("hash", await sha256(found.value));
  const res = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
  const doc = new DOMParser().parseFromString(await res.text(), "text/html");
  const verdict = doc.querySelector("[data-verdict]");
  if (!verdict) throw new Error("check " + res.status);
  return document.adoptNode(verdict);
}

/* Without crypto.subtle, which plain http has on this computer alone, the form is sent
   as it is; the hint beside the field says so. */
const form = document.querySelector("form[data-check]");
if (form && globalThis.crypto?.subtle) {
  const region = document.querySelector("[data-check-verdict]");
  document.querySelector("[data-check-sent]").hidden = true;
  document.querySelector("[data-check-here]").hidden = false;
  form.noValidate = true;
  form.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    if (form.dataset.asking !== undefined) return;
    form.dataset.asking = "";
    try {
      const field = form.elements.namedItem("value");
      region.replaceChildren(await ask(form, judge(field.value)));
    } catch {
      region.replaceChildren(document.querySelector("[data-check-failed]").content.cloneNode(true));
    } finally {
      delete form.dataset.asking;
    }
  });
}

/* No value stays behind when the page is left. */
addEventListener("pagehide", () => form?.reset());
