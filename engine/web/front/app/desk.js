// Keys: "/" to search; on the desk up and down move along the rows, Enter opens, X ticks. Ticked rows of one step share a bar.
export function installDesk() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") { event.preventDefault(); document.getElementById("find")?.focus(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event);
    else if (event.key === "Enter" && event.target === document.body) document.querySelector(".q.at .t")?.click();
    else if (event.key === "x" || event.key === "X") document.querySelector(".q.at .tick input:not(:disabled)")?.click();
    else if (event.key === "Escape") document.querySelector("form[data-batch]:not([hidden])")?.reset();
  });
  document.addEventListener("change", (event) => { if (event.target.matches("[data-tick]")) showBars(); });
  document.addEventListener("reset", (event) => { if (event.target.matches("[data-batch]")) setTimeout(showBars); });
  showBars();
}

const typing = (target) => target.matches?.("input, textarea, select, [contenteditable], summary") || target.closest?.("dialog");

function move(event) {
  const rows = [...document.querySelectorAll(".q")];
  if (!rows.length) return;
  event.preventDefault();
  const at = rows.findIndex((row) => row.classList.contains("at"));
  const next = event.key === "ArrowDown" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0);
  rows[at]?.classList.remove("at");
  rows[next].classList.add("at");
  rows[next].querySelector(".t").focus({ preventScroll: true });
  rows[next].scrollIntoView({ block: "nearest" });
}

/** Rows of another step than the ticked ones can't be ticked; the bar of theirs says how many there are. */
function showBars() {
  const ticks = [...document.querySelectorAll("[data-tick]")];
  const step = ticks.find((tick) => tick.checked)?.dataset.tick;
  for (const tick of ticks) {
    tick.disabled = step !== undefined && tick.dataset.tick !== step;
    tick.closest(".q, tr")?.classList.toggle("on", tick.checked);
  }
  for (const bar of document.querySelectorAll("form[data-batch]")) {
    bar.hidden = bar.getAttribute("id") !== `batch-${step}`; // bar.id is the ticked boxes, where these are called id
    bar.querySelector("[data-count]").textContent = `已勾选 ${ticks.filter((tick) => tick.checked).length} 件`;
  }
}
