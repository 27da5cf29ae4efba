// Choosing from a list by title or pinyin initials: long <select>s, pickers that ask the server, long lists of ticks.
import { make, quiet, settle, touched } from "./shared.js";

const TOUCH = matchMedia("(pointer: coarse)");
let numbers = 0;

export function installChoices(page) {
  enhance(page);
  page.addEventListener("form:added", (event) => enhance(event.detail.root));
  page.addEventListener("input", (event) => { if (event.target.matches("[data-filter-ticks]")) filterTicks(event.target); });
}

export function enhance(root) {
  for (const select of root.querySelectorAll("select[data-search]")) if (!TOUCH.matches || select.options.length > 30) overSelect(select);
  for (const box of root.querySelectorAll("[data-combo]")) if (!box.dataset.ready) remote(box);
}

const fits = (query, title, pinyin = "") => {
  const asked = query.trim().toLowerCase();
  const [full, initials = ""] = pinyin.split(" ");
  return !asked || title.toLowerCase().includes(asked) || initials.includes(asked) || full.startsWith(asked);
};

function filterTicks(input) {
  for (const label of input.parentElement.querySelectorAll("label")) label.hidden = !fits(input.value, label.textContent, label.dataset.py);
}

/** A text box over a <select>, which stays the control that is sent. */
function overSelect(select) {
  if (select.dataset.covered) return;
  select.dataset.covered = "1";
  const input = make("input", {
    class: select.className.replace("form-select", "form-control"), id: select.id, role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list",
    autocomplete: "off", placeholder: select.options[0]?.text, style: select.getAttribute("style"), "aria-label": select.getAttribute("aria-label"),
    "aria-invalid": select.getAttribute("aria-invalid"), "aria-describedby": select.getAttribute("aria-describedby"),
  });
  const box = make("span", { class: "combo", style: select.getAttribute("style") });
  select.before(box);
  select.id = `${select.id}-list`;
  select.hidden = true;
  box.append(input, select);
  const chosen = () => select.options[select.selectedIndex];
  const show = () => { input.value = select.value ? chosen().text : ""; };
  show();
  select.addEventListener("change", show);
  attach(box, input, {
    find: async (query) => [...select.options].filter((option) => option.value && fits(query, option.text, option.dataset.py)).map((option) => ({ id: option.value, title: option.text })),
    pick: (entry) => { select.value = entry ? entry.id : ""; show(); select.dispatchEvent(new Event("change", { bubbles: true })); touched(select); },
    reset: show,
    full: () => select.value !== "",
  });
}

/** A picker whose entries the server finds: GET <source>?q=… → {"items": [{id, title, note}]}. */
function remote(box) {
  box.dataset.ready = "1";
  const [hidden, input] = box.querySelectorAll("input");
  let shown = input.value;
  attach(box, input, {
    find: async (query) => {
      if (query.trim().length < Number(box.dataset.least ?? 1)) return [];
      const url = new URL(box.dataset.source, location.href);
      url.searchParams.set("q", query);
      const response = await fetch(url, { headers: { Accept: "application/json", "X-Guicheng-Fetch": "1" } });
      return response.ok ? (await response.json()).items : [];
    },
    pick: (entry) => {
      hidden.value = entry ? entry.id : "";
      shown = input.value = entry ? entry.title : "";
      if (box.matches("[data-party-search]")) box.dispatchEvent(new CustomEvent("form:party", { bubbles: true, detail: entry }));
      else { touched(hidden); if (hidden.matches("[data-live]")) settle(hidden); }
    },
    reset: () => { input.value = shown; },
    full: () => hidden.value !== "",
  });
}

/** The list under a text box, with the keyboard as ARIA's combobox asks. */
function attach(box, input, source) {
  const list = make("div", { class: "combo-list", role: "listbox", id: `combo-${++numbers}`, hidden: true, "aria-label": "可选" });
  box.append(list);
  input.setAttribute("aria-controls", list.id);
  let entries = [];
  let at = -1;
  let asked = 0;
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); at = -1; };
  const mark = (place) => {
    at = place;
    [...list.querySelectorAll("[role=option]")].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === at));
      if (index === at) { option.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", option.id); }
    });
  };
  const open = async (query) => {
    const turn = ++asked;
    const found = await source.find(query).catch(() => null);
    if (turn !== asked || document.activeElement !== input) return;
    entries = found ?? [];
    list.replaceChildren(...entries.slice(0, 200).map((entry, index) => {
      const option = make("div", { role: "option", id: `${list.id}-${index}`, "aria-selected": "false" }, entry.title);
      if (entry.note) option.append(make("span", { class: "meta" }, entry.note));
      return option;
    }));
    if (!entries.length) list.append(make("div", { class: "none" }, found === null ? "没连上服务器，请稍后再找。" : query.trim() ? "没有找到，换个字或用拼音首字母试试。" : "输入名称或拼音首字母。"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    at = -1;
  };
  const choose = (entry) => { close(); source.pick(entry); };
  const later = quiet(() => open(input.value), 150);
  input.addEventListener("input", (event) => { event.stopPropagation(); later(); });
  input.addEventListener("click", () => { if (list.hidden) { input.select(); open(source.full() ? "" : input.value); } });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open(source.full() ? "" : input.value);
      else if (entries.length) mark((at + (event.key === "ArrowDown" ? 1 : entries.length - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % entries.length);
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (entries[Math.max(at, 0)]) choose(entries[Math.max(at, 0)]);
    } else if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); source.reset(); }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(entries[[...list.children].indexOf(option)]);
  });
  input.addEventListener("blur", () => {
    later.cancel();
    asked++;
    close();
    if (!input.value.trim() && source.full()) source.pick(null);
    else source.reset();
  });
}
