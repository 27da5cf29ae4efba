// Tables of rows: add, take away (and bring back), and on a phone open a row to change it.
import { make, notice, settle, touched } from "./shared.js";

const CONTROL = "input:not([type=hidden]),select,textarea";

export function installRows(page) {
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches("[data-add-row]")) addRow(button);
    else if (button.matches("[data-remove-row]")) removeRow(page, button);
    else if (button.matches("[data-open-row]")) openRow(button.closest("tr"), true);
  });
}

export function openRow(row, focus = false) {
  row.classList.add("open");
  if (focus) row.querySelector(CONTROL)?.focus();
}

function addRow(button) {
  const field = button.closest("[data-field]");
  const table = field.querySelector("table[data-rows]");
  const body = table.tBodies[0];
  if (body.rows.length >= Number(table.dataset.most)) return;
  const place = nextPlace(table);
  const made = make("tbody");
  made.innerHTML = field.querySelector("template[data-row-template]").innerHTML.replaceAll("__i__", String(place));
  const row = made.rows[0];
  body.append(row);
  renumber(table);
  row.querySelector(CONTROL)?.focus();
  field.dispatchEvent(new CustomEvent("form:added", { bubbles: true, detail: { root: row } }));
}

/** One more than the largest number in use; names only have to differ and to grow. */
function nextPlace(table) {
  const start = table.dataset.rows.length + 1;
  const used = [...table.querySelectorAll("[name]")].map((control) => Number.parseInt(control.name.slice(start), 10)).filter(Number.isInteger);
  return used.length ? Math.max(...used) + 1 : 0;
}

function removeRow(page, button) {
  const row = button.closest("tr");
  const table = row.closest("table");
  const after = row.nextElementSibling;
  const number = row.rowIndex;
  const changed = () => { renumber(table); touched(table); if ("drives" in button.dataset) settle(table, table.dataset.rows); };
  row.remove();
  changed();
  notice(page, `已删去第 ${number} 行。`, { 恢复: () => { table.tBodies[0].insertBefore(row, after?.isConnected ? after : null); changed(); } });
  (table.tBodies[0].rows[number - 1]?.querySelector(CONTROL) ?? table.closest("[data-field]").querySelector("[data-add-row]")).focus();
}

function renumber(table) {
  [...table.tBodies[0].rows].forEach((row, index) => {
    row.querySelector(".no").textContent = String(index + 1);
    for (const control of row.querySelectorAll("[aria-label]")) {
      control.setAttribute("aria-label", control.getAttribute("aria-label").replace(/第 \S+ 行|新一行/, `第 ${index + 1} 行`));
    }
  });
}
