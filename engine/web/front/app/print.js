// A page that is printed leaves a trace; the watermark on it says whose it was.
import { post, root } from "./net.js";

const CASE = /\/cases\/([0-9a-f-]{36})/;

/** Tell the server once a second at most: some browsers fire twice for one print. */
export function installPrintTrace() {
  let last = 0;
  window.addEventListener("beforeprint", () => {
    if (!document.querySelector(".watermark") || Date.now() - last < 1000) return;
    last = Date.now();
    const body = new FormData();
    body.append("path", location.pathname.slice(0, 300));
    body.append("case", CASE.exec(location.pathname)?.[1] ?? "");
    post(`${root()}/traces/print`, body).catch(() => {});
  });
}
