// The summary after a refused submit: it takes the focus, its lines lead into the fields, also into a folded row.
import { openRow } from "./rows.js";

const CONTROL = "input:not([type=hidden]),select,textarea,button";

export function installErrors(page) {
  const summary = page.querySelector(".errsum");
  if (!summary) return;
  summary.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target) return;
    event.preventDefault();
    const row = target.closest(".rep tr");
    if (row) openRow(row);
    target.scrollIntoView({ block: "center" });
    const control = target.matches(CONTROL) ? target : target.querySelector(CONTROL);
    (control ?? target).focus({ preventScroll: true });
  });
  summary.focus();
}
