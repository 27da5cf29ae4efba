// A session that ended in the middle of typing: sign in on top of the page, then go on.
import { freshToken, post, setCsrf } from "./net.js";

let waiting = null;

/** Resolves true once the same person is signed in again, false when they close the dialog. */
export function signInAgain() {
  waiting ??= open().finally(() => { waiting = null; });
  return waiting;
}

function open() {
  const dialog = document.getElementById("relogin");
  if (!dialog) { location.assign(location.href); return Promise.resolve(false); }
  const form = dialog.querySelector("form");
  const problem = form.querySelector(".err");
  problem.hidden = true;
  dialog.showModal();
  return new Promise((resolve) => {
    const finish = (back) => {
      window.removeEventListener("focus", look);
      form.removeEventListener("submit", submit);
      form.elements.password.value = "";
      resolve(back);
      dialog.close();
    };
    const look = async () => { if (await freshToken(form.elements.person.value)) finish(true); };
    const submit = async (event) => {
      event.preventDefault();
      const refusal = await trySignIn(form);
      if (!refusal) return finish(true);
      problem.textContent = refusal;
      problem.hidden = false;
    };
    window.addEventListener("focus", look);
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", () => finish(false), { once: true });
  });
}

async function trySignIn(form) {
  try {
    const response = await post(form.dataset.relogin, new FormData(form));
    const answer = await response.json();
    if (!response.ok) return answer.error.message;
    setCsrf(answer.csrf);
    return "";
  } catch {
    return "没连上服务器，请检查网络后再试。";
  }
}
