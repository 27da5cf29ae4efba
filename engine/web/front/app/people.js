// [data-people-search]: typing finds colleagues of other units; what is ticked stays, whatever is typed.
import { quiet } from "./quiet.js";

export function installPeople() {
  const ask = quiet(find, 200);
  document.addEventListener("input", (event) => { if (event.target.matches("[data-people-search]")) ask(event.target); });
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("[data-people-search]")) event.preventDefault(); });
}

async function find(input) {
  const box = input.closest("[data-people]");
  const asked = input.value.trim();
  for (const label of box.querySelectorAll("label")) label.hidden = asked !== "" && !label.querySelector("input").checked && !label.textContent.includes(asked);
  if (!asked) return;
  const url = new URL(input.dataset.peopleSearch, location.href);
  url.searchParams.set("q", asked);
  const response = await fetch(url, { headers: { Accept: "application/json", "X-Guicheng-Fetch": "1" } }).catch(() => null);
  if (!response?.ok || input.value.trim() !== asked) return;
  for (const person of (await response.json()).items) show(box, person);
}

function show(box, person) {
  const known = [...box.querySelectorAll("label")].find((label) => label.querySelector("input").value === person.id);
  if (known) { known.hidden = false; return; }
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { className: "form-check-input", type: box.dataset.peopleType, name: box.dataset.peopleName, value: person.id });
  const words = document.createElement("span");
  words.append(Object.assign(document.createElement("b"), { textContent: person.title }), Object.assign(document.createElement("span"), { className: "meta", textContent: person.note }));
  label.append(input, words);
  box.querySelector(".scroll").append(label);
}
