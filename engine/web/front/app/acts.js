// form[data-act]: sent without leaving the page, once, and what was typed stays until the server has it.
import { forget, keep } from "./keep.js";
import { freshToken, post } from "./net.js";
import { ask, busy, say } from "./notes.js";
import { signInAgain } from "./relogin.js";

export function installActs() {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-act]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    form.dataset.busy = "1";
    try {
      if (question && !(await ask(question))) return;
      await ready(form);
      await send(form, event.submitter);
    } finally {
      if (!form.dataset.sent) delete form.dataset.busy;
    }
  });
}

/** Parts of the form that still have something to save, such as a signature just drawn, do so first. */
async function ready(form) {
  const waits = [];
  form.dispatchEvent(new CustomEvent("act:ready", { bubbles: true, detail: { wait: (promise) => waits.push(promise) } }));
  await Promise.all(waits);
}

async function send(form, submitter, tries = 0) {
  const body = new FormData(form);
  if (submitter?.name) body.append(submitter.name, submitter.value); // the button may have been exchanged since the click
  const done = busy();
  let response;
  try {
    response = await post(submitter?.getAttribute("formaction") || form.action, body);
  } catch {
    keep(form, body);
    say("没连上服务器，没有提交。内容还在页面上，也存了一份在这台机器上，网络好了再提交一次。", "late");
    return;
  } finally {
    done();
  }
  if (response.status === 401 && tries < 3) {
    keep(form, body);
    if (await signInAgain()) await send(form, submitter, tries + 1);
    return;
  }
  await answer(form, submitter, response, body, tries);
}

async function answer(form, submitter, response, body, tries) {
  const html = response.headers.get("Content-Type")?.startsWith("text/html");
  if (html) return showPage(form, await response.text());
  const told = await response.json().catch(() => ({ error: { message: "服务器的回答不完整，不知道有没有提交成。请刷新看看，不要重复提交。" } }));
  if (told.location) {
    form.dataset.sent = "1";
    forget(form);
    return go(told.location);
  }
  if (told.error?.code === "csrf" && tries === 0 && (await freshToken(person()))) return send(form, submitter, 1);
  keep(form, body);
  say(told.error?.message ?? "没有提交成，内容还在。", "late", form.closest(".drop") ?? undefined);
}

const person = () => document.querySelector("#relogin input[name=person]")?.value;

function go(address) {
  const target = new URL(address, location.href);
  const same = target.pathname === location.pathname && target.search === location.search;
  if (same) history.scrollRestoration = "manual"; // the answer stands on top of the page
  location.assign(target);
  if (same) location.reload();
}

function showPage(form, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = document.getElementById("main");
  const fresh = page.getElementById("main");
  if (!fresh) return say("服务器的回答看不懂，内容还在页面上。", "late");
  main.replaceChildren(...fresh.childNodes);
  document.title = page.title;
  window.htmx?.process(main);
  document.dispatchEvent(new CustomEvent("guicheng:swapped", { detail: { root: main } }));
  const first = main.querySelector(".errsum, [aria-invalid=true], [role=alert]");
  if (first) { first.tabIndex = -1; first.focus(); first.scrollIntoView({ block: "start" }); }
}
