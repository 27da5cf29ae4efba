// form[data-filters]: a choice goes into the address at once, inside [data-hold] with its button; empty choices stay out of it.
export function installFilters() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-filters]");
    if (form && !event.target.closest("[data-hold]") && event.target.matches("select, input[type=checkbox], input[type=date]")) go(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-filters]");
    if (form) { event.preventDefault(); go(form); }
  });
}

function go(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = new URL(form.getAttribute("action") || location.pathname, location.href);
  address.search = query.toString();
  location.assign(address);
}
