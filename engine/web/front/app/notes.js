// Short messages on the page, and one question in a dialog.
export function say(text, kind = "ok", where = document.getElementById("main")) {
  for (const old of document.querySelectorAll(".note-bar.live")) old.remove();
  const bar = document.createElement("p");
  bar.className = `note-bar live ${kind}`;
  bar.setAttribute("role", kind === "late" ? "alert" : "status");
  bar.textContent = text;
  where?.prepend(bar);
  if (kind === "late") bar.scrollIntoView({ block: "nearest" });
  return bar;
}

export function ask(text, yes = "继续", no = "不了") {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-label", "请确认");
  const words = document.createElement("p");
  words.textContent = text;
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "row-x ask";
  for (const [value, word, look] of [["yes", yes, "btn btn-primary"], ["no", no, "btn"]]) {
    const button = document.createElement("button");
    button.value = value;
    button.className = look;
    button.textContent = word;
    form.append(button);
  }
  dialog.append(words, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => { resolve(dialog.returnValue === "yes"); dialog.remove(); }));
}

export function busy() {
  let bar = null;
  const timer = setTimeout(() => {
    bar = document.createElement("div");
    bar.className = "busy";
    document.body.append(bar);
  }, 300);
  return () => { clearTimeout(timer); bar?.remove(); };
}
