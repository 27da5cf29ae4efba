// The script of every page: htmx, acts that lose nothing, signing in again, menus, filters, keys, tabs.
import htmx from "htmx.org";
import { installActs } from "./app/acts.js";
import { installDesk } from "./app/desk.js";
import { installFilters } from "./app/filters.js";
import { offerKept } from "./app/keep.js";
import { installLogin } from "./app/login.js";
import { installSigner } from "./app/signer.js";
import { installMenus, installWaiting } from "./app/menus.js";
import { csrf } from "./app/net.js";
import { say } from "./app/notes.js";
import { installPeople } from "./app/people.js";
import { installPrintTrace } from "./app/print.js";
import { signInAgain } from "./app/relogin.js";
import { installTabs } from "./app/tabs.js";

window.htmx = htmx;
document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrf(); });
document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt, requestConfig } = event.detail;
  if (requestConfig.triggeringEvent?.type === "load" || elt.id === "bell") return;
  if (xhr.status === 401) signInAgain().then((back) => back && htmx.trigger(elt, requestConfig.triggeringEvent?.type ?? "click"));
  else say(messageOf(xhr), "late");
});
document.addEventListener("htmx:sendError", () => say("没连上服务器，请检查网络后再试。", "late"));

function messageOf(xhr) {
  try { return JSON.parse(xhr.responseText).error.message; } catch { return "没有取到内容，请稍后再试。"; }
}

history.scrollRestoration = "auto";
installMenus();
installFilters();
installActs();
installDesk();
installTabs();
installPeople();
installLogin();
installSigner();
installWaiting();
installPrintTrace();
if (document.querySelector("[data-map-shown]")) import("./form/places.js").then(({ installPlaces }) => installPlaces(document));
offerKept();
