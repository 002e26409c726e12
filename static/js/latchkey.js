// Latchkey page enhancements. Everything here is optional: each feature sits on
// a plain link or form that works alone. No inline styles, no eval, no globals.

const $ = (sel, root = document) => root.querySelector(sel);
const on = (type, sel, fn) =>
  document.addEventListener(type, (ev) => {
    const el = ev.target instanceof Element && ev.target.closest(sel);
    if (el) fn(ev, el);
  });

/* Toast: text into the live region that every page carries. */
let toastTimer;
function toast(text) {
  const region = $("#toasts");
  if (!region) return;
  const modal = $("dialog[open]");
  (modal ?? document.body).append(region); // stay above, and readable in, an open dialog
  const icon = $("#toast-icon")?.content.cloneNode(true);
  const box = document.createElement("div");
  box.className = "toast";
  if (icon) box.append(icon);
  box.append(text);
  region.replaceChildren(box);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => region.replaceChildren(), 4000);
}

/* Secrets: a <form data-reveal> posts and, asked for JSON, answers {"value": "…"}.
   Where the sign-in is too old it answers 403 {"confirm": "/confirm?…"}, and
   the browser goes there; the promise then never settles. Any other answer
   rejects with the form, whose plain page says what went wrong. */
async function reveal(form) {
  const res = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
    headers: { Accept: "application/json" },
    credentials: "same-origin",
  });
  const answer = await res.json().catch(() => ({}));
  if (res.status === 403 && answer.confirm?.startsWith("/")) {
    location.assign(answer.confirm);
    return new Promise(() => {});
  }
  if (typeof answer.value !== "string") throw Object.assign(new Error("reveal " + res.status), { form });
  return answer.value;
}

/* What stood in an element before a value took its place. */
const masks = new WeakMap();
function fill(el, value) {
  if (value === null) {
    if (masks.has(el)) el.replaceChildren(...masks.get(el));
    masks.delete(el);
  } else {
    if (!masks.has(el)) masks.set(el, [...el.childNodes]);
    el.replaceChildren(value);
  }
}

const slots = (name, root = document) => root.querySelectorAll(`[data-slot-for="${name}"]`);
function setShown(box, value) {
  fill($("code", box), value);
  if (box.dataset.slot) slots(box.dataset.slot).forEach((el) => fill(el, value));
  const btn = $("form[data-reveal] button", box);
  btn.setAttribute("aria-pressed", String(value !== null));
  $("[data-verb]", btn).textContent = value === null ? "Show" : "Hide";
}

const isShown = (form) => $("button", form).getAttribute("aria-pressed") === "true";
on("submit", "form[data-reveal]", async (ev, form) => {
  ev.preventDefault();
  if (form.dataset.sent !== undefined) return;
  form.dataset.sent = "";
  try {
    setShown(form.closest("[data-secret]"), isShown(form) ? null : await reveal(form));
  } catch {
    form.submit();
  } finally {
    delete form.dataset.sent;
  }
});

/* No value stays behind when the page is left, wherever it came from. */
addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("form[data-reveal]"))
    if (isShown(form)) setShown(form.closest("[data-secret]"), null);
  document.querySelectorAll("[data-revealed]").forEach((el) => el.remove());
  document.querySelectorAll("[data-show-password]").forEach((btn) => showPassword(btn, false));
});

/* Passwords may be read while they are typed. */
function showPassword(btn, shown) {
  document.getElementById(btn.dataset.showPassword).type = shown ? "text" : "password";
  btn.setAttribute("aria-pressed", String(shown));
  $("[data-verb]", btn).textContent = shown ? "Hide" : "Show";
}
on("click", "[data-show-password]", (ev, btn) => showPassword(btn, btn.getAttribute("aria-pressed") !== "true"));

/* Copy: data-copy="text", data-copy-from="#id", or the secret of the enclosing box.
   The promise form of ClipboardItem keeps Safari's user activation. */
async function codeToCopy(scope) {
  const panel = [...scope.querySelectorAll("pre")].find((p) => p.offsetParent) ?? scope;
  const slot = $("[data-slot-for]", panel);
  const form = slot && $(`[data-slot="${slot.dataset.slotFor}"] form[data-reveal]`);
  if (!form || isShown(form)) return panel.textContent.trim() + "\n";
  const value = await reveal(form);
  const copy = panel.cloneNode(true);
  slots(slot.dataset.slotFor, copy).forEach((el) => el.replaceChildren(value));
  return copy.textContent.trim() + "\n";
}
on("click", "[data-copy], [data-copy-from], [data-copy-secret]", async (ev, btn) => {
  const get = async () => {
    if (btn.dataset.copy) return btn.dataset.copy;
    if (btn.dataset.copyFrom) return codeToCopy($(btn.dataset.copyFrom));
    return reveal($("form[data-reveal]", btn.closest("[data-secret]")));
  };
  let refused; // the clipboard replaces the error of what it waits for
  const text = () => get().catch((err) => { refused = err.form; throw err; });
  try {
    if (typeof ClipboardItem === "function" && navigator.clipboard?.write) {
      const blob = text().then((t) => new Blob([t], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } else {
      await navigator.clipboard.writeText(await text());
    }
    btn.dataset.done = "";
    setTimeout(() => delete btn.dataset.done, 1500);
    toast(btn.dataset.copied ?? "Copied");
  } catch {
    if (refused) refused.submit();
    else if (btn.dataset.copySecret !== undefined) toast("Could not copy. Press Show and copy it by hand.");
    else toast("Could not copy. Select the text and copy it by hand.");
  }
});

/* Dialogs: <a data-dialog href> goes to a full page; here that page's
   [data-dialog-body] is shown in one <dialog> instead. */
on("click", "a[data-dialog]", async (ev, link) => {
  if (ev.metaKey || ev.ctrlKey || ev.shiftKey || ev.button) return;
  const dialog = $("#dialog");
  if (!dialog?.showModal) return;
  ev.preventDefault();
  link.closest("details.menu")?.removeAttribute("open");
  try {
    const res = await fetch(link.href, { credentials: "same-origin" });
    if (!res.ok || res.redirected) throw new Error(String(res.status));
    const doc = new DOMParser().parseFromString(await res.text(), "text/html");
    const body = $("[data-dialog-body]", doc);
    if (!body) throw new Error("no body");
    dialog.replaceChildren(document.adoptNode(body));
    dialog.setAttribute("aria-labelledby", $("h1", dialog).id);
    dialog.showModal();
  } catch {
    location.assign(link.href);
  }
});
/* The key that opened a dialog may still be down: it does not press what is inside. */
document.addEventListener("keydown", (ev) => {
  if (ev.repeat && ev.key === "Enter" && ev.target.closest?.("dialog")) ev.preventDefault();
});
on("click", "#dialog [data-dialog-close]", (ev) => {
  ev.preventDefault();
  $("#dialog").close();
});
on("click", "#dialog", (ev, dialog) => {
  if (ev.target !== dialog) return; // only the backdrop
  const r = dialog.getBoundingClientRect();
  const inside = ev.clientX >= r.left && ev.clientX <= r.right && ev.clientY >= r.top && ev.clientY <= r.bottom;
  if (!inside) dialog.close();
});

/* Menus: one open at a time comes from <details name>; here Esc, outside click, Tab out. */
const openMenus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (ev) => openMenus().forEach((m) => m.contains(ev.target) || (m.open = false)));
document.addEventListener("focusin", (ev) => openMenus().forEach((m) => m.contains(ev.target) || (m.open = false)));
document.addEventListener("keydown", (ev) => {
  if (ev.key !== "Escape") return;
  openMenus().forEach((m) => {
    m.open = false;
    $("summary", m).focus();
  });
});

/* Theme: the form sets a cookie on the server; here without a page load. */
on("submit", "form[data-theme-form]", (ev, form) => {
  const theme = ev.submitter?.value;
  if (!theme) return;
  ev.preventDefault();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const b of document.querySelectorAll("form[data-theme-form] button"))
    b.setAttribute("aria-pressed", String(b.value === theme));
  const body = new URLSearchParams(new FormData(form));
  body.set("theme", theme);
  fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" }).catch(() => {});
});

/* One submit per form: a second press does nothing while the first is on its way. */
document.addEventListener("submit", (ev) => {
  if (ev.defaultPrevented || ev.target.method === "get") return;
  if (ev.target.dataset.sent !== undefined) return ev.preventDefault();
  ev.target.dataset.sent = "";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));
