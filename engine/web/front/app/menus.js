// details.menu: one open at a time, closed by Escape or a click elsewhere; data-load fetches its content when first opened.
import htmx from "htmx.org";

export function installMenus() {
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.menu, details[data-load]") || !menu.open) return;
    for (const other of document.querySelectorAll("details.menu[open]")) if (other !== menu && !other.contains(menu)) other.open = false;
    if (menu.dataset.load && !menu.dataset.loaded) {
      menu.dataset.loaded = "1";
      htmx.ajax("GET", menu.dataset.load, { target: menu.querySelector(".drop"), swap: "innerHTML" });
    }
  }, true);
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("details").open = false;
    const fold = event.target.closest("[data-unfold]");
    if (fold) unfold(fold);
    const said = event.target.closest("[data-phrase]");
    if (said) putPhrase(said);
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("change", (event) => {
    const choice = event.target.closest("input[data-button]");
    if (choice) document.getElementById(choice.dataset.button).textContent = choice.dataset.word;
  });
}

function unfold(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", open);
  for (const item of document.querySelectorAll(`[data-fold="${button.dataset.unfold}"]`)) item.hidden = !open;
}

function putPhrase(button) {
  const box = document.getElementById(button.dataset.phrase);
  box.value = box.value.trim() ? `${box.value.trimEnd()}${button.textContent}` : button.textContent;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}


/** A page that waits for the worker looks again by itself. */
export function installWaiting() {
  const waiting = document.querySelector("[data-reload]");
  if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload) * 1000);
}
