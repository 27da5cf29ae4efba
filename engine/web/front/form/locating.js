// An address to a place and back: the button beside an address writes the point that belongs to it, and lists what is doubtful.
import { make, settle, touched } from "./shared.js";

const part = (box, name) => box.querySelector(`[name$=".${name}"]`);

export async function ask(address, values) {
  const url = new URL(address, location.href);
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  const response = await fetch(url, { headers: { "X-Guicheng-Fetch": "1", Accept: "application/json" } });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error?.message ?? "没有取到，请稍后再试。");
  return told;
}

export function installLocating(page) {
  for (const box of page.querySelectorAll("[data-place-locate]")) {
    if (box.dataset.locating) continue;
    const address = addressOf(page, box.dataset.placeAddress);
    if (!address) continue;
    box.dataset.locating = "1";
    beside(box, address);
  }
}

/** The control, what it says, and how it is written, for a text and for the widget address. */
function addressOf(page, name) {
  const text = page.querySelector(`[name="data.${name}"]`);
  if (text && "value" in text && text.type !== "hidden") return { last: text, all: [text], say: () => text.value, write: (words) => { text.value = words; touched(text); } };
  const [district, street, detail] = ["district", "street", "detail"].map((one) => page.querySelector(`[name="data.${name}.${one}"]`));
  if (!detail) return null;
  const chosen = (select) => (select?.value ? select.selectedOptions[0].textContent : "");
  return { last: detail, all: [detail], say: () => chosen(district) + chosen(street) + detail.value, write: null };
}

function beside(box, address) {
  const button = make("button", { class: "btn btn-s", type: "button" }, "定位");
  const said = make("span", { class: "meta", role: "status" });
  const list = make("ul", { class: "candidates" });
  address.last.after(make("div", { class: "row-x locating" }, button, said), list);
  const put = (one) => {
    part(box, "datum").value = "cgcs2000";
    for (const end of ["lon", "lat"]) { const input = part(box, end); input.value = one[end]; touched(input); input.dispatchEvent(new Event("change", { bubbles: true })); if (input.matches("[data-live]")) settle(input); }
    said.textContent = `已定位：${one.told}`;
    list.replaceChildren();
  };
  const choose = (found) => list.replaceChildren(...found.map((one) => { const pick = make("button", { class: "plain", type: "button" }, one.told); pick.addEventListener("click", () => put(one)); return make("li", {}, pick); }));
  const look = async (asked) => {
    const words = address.say().trim();
    if (!words) { said.textContent = asked ? "先填地址。" : ""; list.replaceChildren(); return; }
    said.textContent = "正在定位…";
    try {
      const { found, doubt } = await ask(box.dataset.placeLocate, { address: words });
      if (found.length && !doubt) return put(found[0]);
      said.textContent = found.length ? `${doubt}。请选一处，或在图上点：` : `${doubt}，请在图上点，或者填坐标。`;
      choose(found);
    } catch (problem) { said.textContent = problem.message || "没连上服务器，请在图上点，或者填坐标。"; }
  };
  button.addEventListener("click", () => look(true));
  for (const control of address.all) control.addEventListener("change", () => { if (!part(box, "lon").value) look(false); });
  box.querySelector("[data-place-near]")?.addEventListener("click", () => back(box, address));
}

async function back(box, address) {
  const place = box.querySelector("[data-place-said]");
  const [lon, lat, datum] = ["lon", "lat", "datum"].map((one) => part(box, one).value);
  if (!lon || !lat) { place.textContent = "先在图上点一下，或者填坐标。"; return; }
  try {
    const { found } = await ask(box.dataset.placeNearest, { lon, lat, datum });
    if (!found.length) { place.textContent = "300 米以内没有登记的门牌。"; return; }
    place.replaceChildren(`最近的是${found[0].title}，相距 ${Math.round(found[0].metres)} 米`);
    if (!address.write) return;
    const take = make("button", { class: "btn btn-s", type: "button" }, "填进地址");
    take.addEventListener("click", () => { address.write(found[0].title); place.textContent = "已填进地址"; });
    place.append(" ", take);
  } catch (problem) { place.textContent = problem.message || "没连上服务器，请稍后再试。"; }
}
