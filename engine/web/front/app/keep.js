// A copy of what was typed, on this machine, from the moment a submit fails until it succeeds or is thrown away.
import { say } from "./notes.js";

const PREFIX = "guicheng:kept:";
const nameOf = (form) => form.dataset.keep && PREFIX + form.dataset.keep;
const SKIP = new Set(["csrf", "key", "rev", "form_hash"]);

export function keep(form, body) {
  const name = nameOf(form);
  if (!name) return;
  const pairs = [...body].filter(([field, value]) => typeof value === "string" && !SKIP.has(field));
  try { localStorage.setItem(name, JSON.stringify({ at: Date.now(), pairs })); } catch { /* a full or forbidden store must not stop the submit */ }
}

export function forget(form) {
  const name = nameOf(form);
  if (name) localStorage.removeItem(name);
  if (form.dataset.draft) localStorage.removeItem(`guicheng:draft:${form.dataset.draft}`);
}

export function offerKept() {
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const stored = localStorage.getItem(nameOf(form));
    if (stored) offer(form, JSON.parse(stored));
  }
}

function offer(form, { at, pairs }) {
  const bar = say(`这张表有一份 ${new Date(at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" })} 没提交成的内容，存在这台机器上。`, "soon", form.parentElement);
  bar.append(button("放回去", () => { putBack(form, pairs); bar.remove(); }), button("丢掉", () => { forget(form); bar.remove(); }));
}

function button(word, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "why";
  made.textContent = word;
  made.style.marginInlineStart = "1em";
  made.addEventListener("click", run);
  return made;
}

function putBack(form, pairs) {
  const values = new Map();
  for (const [field, value] of pairs) values.set(field, [...(values.get(field) ?? []), value]);
  for (const control of form.elements) {
    const kept = values.get(control.name);
    if (!kept) continue;
    if (control.type === "checkbox" || control.type === "radio") control.checked = kept.includes(control.value);
    else if (control.type !== "file" && control.type !== "hidden") control.value = kept.shift() ?? "";
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
