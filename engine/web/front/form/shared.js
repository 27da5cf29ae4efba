// Small things that several parts of a form need.

/** The <form> that a form page stands in. */
export const formOf = (page) => page.closest("form");

/** Everything typed, as it would be sent. */
export const bodyOf = (page) => new FormData(formOf(page));

/** Run `job` once it has been quiet for `ms`. */
export function quiet(job, ms) {
  let timer = 0;
  const later = (...args) => { clearTimeout(timer); timer = setTimeout(() => job(...args), ms); };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Ask the server to settle conditions and sums after `name` ("data.party.kind") changed. */
export const settle = (control, name = control.name) => control.dispatchEvent(new CustomEvent("form:settle", { bubbles: true, detail: { name } }));

/** Tell the form that it holds something new to save. */
export const touched = (control) => control.dispatchEvent(new Event("input", { bubbles: true }));

/** An element with attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Show words in the notice line of the form, with buttons {word: job}; no words take the line away. */
export function notice(page, words = "", buttons = {}) {
  const place = page.querySelector("[data-form-notice]");
  if (!place) return;
  place.replaceChildren(words);
  for (const [word, job] of Object.entries(buttons)) {
    const button = make("button", { type: "button", class: "btn btn-s" }, word);
    button.addEventListener("click", () => { place.replaceChildren(); job(); });
    place.append(button);
  }
}
