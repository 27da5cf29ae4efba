// [role=tablist]: panes are fetched when first shown; the chosen tab stands in the address.
import htmx from "htmx.org";

export function installTabs(scope = document) {
  for (const list of scope.querySelectorAll("[role=tablist]")) {
    if (list.dataset.ready) continue;
    list.dataset.ready = "1";
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) { event.preventDefault(); show(list, tab, true); }
    });
    list.addEventListener("keydown", (event) => {
      const tabs = [...list.querySelectorAll("[role=tab]")];
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      next.focus();
      show(list, next, true);
    });
    const chosen = list.querySelector("[aria-selected=true]");
    if (chosen) show(list, chosen, false);
  }
}

document.addEventListener("guicheng:swapped", (event) => installTabs(event.detail.root));

function show(list, tab, remember) {
  for (const other of list.querySelectorAll("[role=tab]")) {
    const on = other === tab;
    other.setAttribute("aria-selected", on);
    other.classList.toggle("active", on);
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
  const pane = document.getElementById(tab.getAttribute("aria-controls"));
  if (pane.dataset.load && !pane.dataset.loaded) {
    pane.dataset.loaded = "1";
    htmx.ajax("GET", pane.dataset.load, { target: pane, swap: "innerHTML" });
  }
  document.dispatchEvent(new Event("guicheng:shown"));
  if (remember) history.replaceState(history.state, "", tab.href);
}
