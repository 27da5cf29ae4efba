// The draft: saved a few seconds after one pauses; where the server can't be reached, a copy stays on this machine.
import { freshToken, post } from "../app/net.js";
import { signInAgain } from "../app/relogin.js";
import { bodyOf, formOf, notice, quiet } from "./shared.js";

const PAUSE = 3000;
const SKIP = new Set(["csrf", "key", "rev", "form_hash", "draft_id"]);

export function installAutosave(page) {
  const form = formOf(page);
  if (!form?.dataset.draft) return;
  const state = { dirty: false, saving: false, stopped: false, store: `guicheng:draft:${form.dataset.draft}` };
  const later = quiet(() => save(page, form, state), PAUSE);
  const changed = () => { state.dirty = true; later(); };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => later.cancel(), true);
  for (const button of document.querySelectorAll("[data-save-draft]")) button.addEventListener("click", () => save(page, form, state, true));
  window.addEventListener("online", () => { if (state.dirty) save(page, form, state); });
  window.addEventListener("pagehide", () => { if (state.dirty && !state.stopped && !form.dataset.busy) leave(page, form, state); });
  offer(page, form, state);
}

async function save(page, form, state, asked = false) {
  if (state.saving || state.stopped || form.dataset.busy || !form.isConnected || (!state.dirty && !asked)) return;
  state.saving = true;
  state.dirty = false;
  const body = bodyOf(page);
  try {
    await send(page, form, state, body, 0);
  } catch {
    keep(state, body);
    state.dirty = true;
    say("没连上服务器，内容先存在这台机器上", true);
  } finally {
    state.saving = false;
  }
}

async function send(page, form, state, body, tries) {
  const response = await post(form.dataset.draft, body);
  const told = await response.json().catch(() => ({}));
  if (response.ok) {
    for (const name of ["rev", "draft_id"]) if (told[name] !== undefined && form.elements[name]) form.elements[name].value = told[name];
    localStorage.removeItem(state.store);
    say(`已于 ${told.saved} 保存`);
    if (told.others?.length) notice(page, `${told.others.join("、")}也在填这张表，先提交的算数。`);
  } else if (response.status === 401 && tries < 2) {
    keep(state, body);
    if (await signInAgain()) await send(page, form, state, bodyOf(page), tries + 1);
    else state.dirty = true;
  } else if (told.error?.code === "csrf" && tries === 0 && (await freshToken())) {
    await send(page, form, state, bodyOf(page), 1);
  } else {
    keep(state, body);
    state.stopped = response.status === 409 || response.status === 403 || response.status === 404;
    say("没有保存成", true);
    notice(page, told.error?.message ?? "草稿没有保存成，内容还在页面上。");
  }
}

function say(words, bad = false) {
  for (const place of document.querySelectorAll("[data-saved]")) {
    place.textContent = words;
    place.classList.toggle("late", bad);
    place.classList.toggle("saved-note", !bad);
  }
}

function keep(state, body) {
  const pairs = [...body].filter(([name, value]) => typeof value === "string" && !SKIP.has(name));
  try { localStorage.setItem(state.store, JSON.stringify({ at: Date.now(), pairs })); } catch { /* a full or forbidden store must not stop the work */ }
}

/** Leaving with something unsaved: one last try that outlives the page, and the copy on this machine. */
function leave(page, form, state) {
  const body = bodyOf(page);
  keep(state, body);
  navigator.sendBeacon?.(form.dataset.draft, body);
}

/** A copy from a broken end of work: it becomes the draft when the officer wants it. */
function offer(page, form, state) {
  const stored = localStorage.getItem(state.store);
  if (!stored) return;
  const { at, pairs } = JSON.parse(stored);
  const same = new Set([...bodyOf(page)].map((pair) => pair.join("\n")));
  if (pairs.every((pair) => same.has(pair.join("\n")))) { localStorage.removeItem(state.store); return; }
  const when = new Date(at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
  notice(page, `这台机器上有 ${when} 没来得及保存的内容。`, {
    放回去: () => restore(page, form, state, pairs),
    丢掉: () => localStorage.removeItem(state.store),
  });
}

async function restore(page, form, state, pairs) {
  const body = new FormData();
  for (const [name, value] of pairs) body.append(name, value);
  for (const name of SKIP) if (form.elements[name]) body.set(name, form.elements[name].value);
  try {
    const response = await post(form.dataset.draft, body);
    if (!response.ok) throw new Error(String(response.status));
    localStorage.removeItem(state.store);
    state.stopped = true;
    location.reload();
  } catch {
    notice(page, "没有放回去，请检查网络后再试。", { 再试: () => restore(page, form, state, pairs) });
  }
}
