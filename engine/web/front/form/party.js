// A party: a pasted licence or identity card is taken apart by the server; a known party fills the fields.
import { make, settle, touched } from "./shared.js";

const WORDS = /[:：]|姓名|名称|公民身份号码|统一社会信用代码|法定代表人|经营者/;

export function installParty(page) {
  page.addEventListener("paste", (event) => {
    const field = event.target.closest?.("[data-party] input");
    const text = event.clipboardData?.getData("text") ?? "";
    if (!field || !text.trim() || field.closest("[data-party-search]")) return;
    const box = field.closest("[data-party]").querySelector("[data-paste]");
    if (field !== box && !(text.length > 30 && (text.includes("\n") || WORDS.test(text)))) return;
    event.preventDefault();
    box.value = text.replace(/\s*\n\s*/g, "  ");
    touched(box);
    settle(box);
  });
  page.addEventListener("form:party", (event) => take(event.target, event.detail));
}

async function take(box, entry) {
  if (!entry) return;
  const url = new URL(box.dataset.source, location.href);
  url.searchParams.set("id", entry.id);
  const response = await fetch(url, { headers: { Accept: "application/json", "X-Guicheng-Fetch": "1" } });
  if (!response.ok) return;
  const party = box.closest("[data-party]");
  const name = box.querySelector("input[type=hidden]").name.replace(/\.party_id$/, "");
  for (const [part, value] of Object.entries((await response.json()).party)) fill(party, `${name}.${part}`, value);
  const hidden = box.querySelector("input[type=hidden]");
  touched(hidden);
  settle(hidden);
}

/** Set the control of one part; a part that this kind of party does not show travels hidden, so that the server sees it. */
function fill(party, name, value) {
  const controls = [...party.querySelectorAll("[name]")].filter((control) => control.name === name);
  if (controls.some((control) => control.type === "radio")) for (const radio of controls) radio.checked = radio.value === value;
  else if (controls.length) controls[0].value = value;
  else party.append(make("input", { type: "hidden", name, value }));
}
