// Keys: "/" to search; on the desk up and down move along the rows, Enter opens.
export function installDesk() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") { event.preventDefault(); document.getElementById("find")?.focus(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event);
    else if (event.key === "Enter" && event.target === document.body) document.querySelector(".q.at .t")?.click();
  });
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
