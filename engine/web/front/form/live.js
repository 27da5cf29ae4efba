// After a field that others depend on changed, the server settles the form; only what is new is exchanged.
import { csrf } from "../app/net.js";
import { signInAgain } from "../app/relogin.js";
import { enhance } from "./choices.js";
import { installPlaces } from "./places.js";
import { bodyOf, quiet } from "./shared.js";
import { installSignatures } from "./signature.js";

export function installLive(page) {
  const state = { turn: 0, gone: new Map() };
  const ask = (name) => settleOn(page, name, state);
  const typing = quiet(ask, 450);
  page.addEventListener("form:settle", (event) => ask(event.detail.name));
  page.addEventListener("change", (event) => { if (event.target.matches("[data-live]")) { typing.cancel(); ask(event.target.name); } });
  page.addEventListener("input", (event) => { if (event.target.matches("input.num[data-live]")) typing(event.target.name); });
}

async function settleOn(page, name, state) {
  const turn = ++state.turn;
  const body = bodyOf(page);
  const sent = valuesOf(body);
  body.set("changed", name.replace(/^data\./, ""));
  let html;
  try {
    const response = await fetch(page.dataset.formLive, { method: "POST", body, headers: { "X-CSRF-Token": csrf(), "X-Guicheng-Fetch": "1", Accept: "text/html" } });
    if (response.status === 401 && turn === state.turn && (await signInAgain())) return settleOn(page, name, state);
    if (!response.ok) return;
    html = await response.text();
  } catch { return; }
  if (turn !== state.turn) return;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  exchange(page, fresh, sent, name.replace(/^data\./, "").split(".")[0], state.gone);
}

function valuesOf(body) {
  const values = new Map();
  for (const [name, value] of body) if (typeof value === "string") values.set(name, [...(values.get(name) ?? []), value]);
  return values;
}

function exchange(page, fresh, sent, changed, gone) {
  const jump = fresh.getElementById("f-jump");
  if (jump) page.querySelector("#f-jump")?.replaceWith(jump);
  const sheet = page.querySelector(".sheet");
  const sections = [...fresh.querySelectorAll("section.grp")];
  const wanted = new Set(sections.map((section) => section.id));
  for (const old of [...sheet.querySelectorAll(":scope > section.grp")]) if (!wanted.has(old.id)) { fieldsOf(old).forEach((field, key) => gone.set(key, field)); old.remove(); }
  let before = null;
  for (const section of sections) {
    const old = sheet.querySelector(`:scope > #${CSS.escape(section.id)}`);
    if (old) exchangeFields(page, old, section, sent, changed, gone);
    else { before ? before.after(section) : sheet.append(section); fieldsOf(section).forEach((field, key) => comeBack(field, gone.get(key))); bring(page, section); }
    before = old ?? section;
  }
}

/** Life for what has just come into the page: pickers, signatures, maps. */
function bring(page, root) {
  enhance(root);
  installSignatures(root);
  installPlaces(page);
}

const fieldsOf = (root) => new Map([...root.querySelectorAll(":scope > [data-field]")].map((field) => [field.dataset.field, field]));

/** A field that a condition took away comes back with what was typed in it. */
function comeBack(fresh, gone) {
  for (const control of gone?.querySelectorAll("input[name],select[name],textarea[name]") ?? []) keepTyped(control, fresh, new Map());
}

function exchangeFields(page, old, fresh, sent, changed, gone) {
  const before = fieldsOf(old);
  const after = fieldsOf(fresh);
  for (const [name, field] of before) if (!after.has(name)) { gone.set(name, field); field.remove(); }
  let previous = old.querySelector(":scope > .row-x");
  for (const [name, field] of after) {
    const known = before.get(name);
    if (!known) { comeBack(field, gone.get(name)); previous.after(field); bring(page, field); previous = field; continue; }
    previous = "dynamic" in field.dataset || name === changed && field.querySelector("[data-own]") ? swap(page, known, field, sent) : known;
  }
}

/** Put `fresh` in place of `old`; what was typed after the request left stays, and so does the focus. */
function swap(page, old, fresh, sent) {
  if (old.querySelector("[data-busy], [data-drawn]") || rowsOf(old) !== rowsOf(fresh)) return old;
  for (const row of old.querySelectorAll("tr.open[id]")) fresh.querySelector(`#${CSS.escape(row.id)}`)?.classList.add("open");
  for (const control of old.querySelectorAll("input[name],select[name],textarea[name]")) keepTyped(control, fresh, sent);
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const [id, start, end] = active ? [active.id, active.selectionStart, active.selectionEnd] : [];
  const typed = active && !active.name ? active.value : null;
  old.replaceWith(fresh);
  bring(page, fresh);
  const again = id && document.getElementById(id);
  if (again) {
    again.focus({ preventScroll: true });
    if (typed !== null && again.matches("[role=combobox]")) again.value = typed;
    try { if (start !== null && start !== undefined) again.setSelectionRange(start, end); } catch { /* not every control has a caret */ }
  }
  return fresh;
}

const rowsOf = (field) => field.querySelector("table[data-rows]")?.tBodies[0].rows.length;

function keepTyped(control, fresh, sent) {
  if (control.type === "radio" || control.type === "checkbox" || control.matches("[data-paste]")) return;
  if ((sent.get(control.name) ?? []).includes(control.value) || control.value === "" && !sent.has(control.name)) return;
  const twin = [...fresh.querySelectorAll("[name]")].find((other) => other.name === control.name);
  if (twin) twin.value = control.value;
}
