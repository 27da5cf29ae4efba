// The map page of a register: what lies in view is asked for by its box, as dots or as heaps; the first of it stands in a list beside.
import { L, dot, makeMap, round } from "./map/base.js";
import { make, quiet } from "./form/shared.js";

const box = document.getElementById("map");
const said = document.querySelector("[data-map-said]");
const list = document.querySelector("[data-map-list]");
const near = document.querySelector("[data-map-near]");
const inside = document.querySelector("[data-map-inside]");

const map = await makeMap(box, { ranks: box.dataset.areas ? JSON.parse(box.dataset.areas) : null, classes: Number(box.dataset.ranges ?? 0), outlines: box.dataset.outlines });
const layer = L.layerGroup().addTo(map);
const draft = L.polygon([], { color: "#b3261e", weight: 2, dashArray: "4 3", interactive: false }).addTo(map);
const pins = new Map();
let turn = 0;

function words(row) {
  return make("div", {}, make("b", {}, row.title), make("span", { class: "meta" }, [...row.more, row.unit].filter(Boolean).join("　")), make("a", { href: row.url }, "看这条记录"));
}

function showRecords({ records, listed }) {
  for (const row of records) {
    if (row.shape) L.geoJSON(row.shape, { style: { color: "#14407d", weight: 2, fillOpacity: 0.15 }, interactive: false }).addTo(layer);
    if (row.point) pins.set(row.id, L.marker([row.point[1], row.point[0]], { icon: dot("", 16), title: row.title, alt: row.title }).bindPopup(() => words(row)).addTo(layer));
  }
  list.replaceChildren(...records.slice(0, listed).map((row) => {
    const line = make("li", {}, make("a", { class: "go", href: row.url }, row.title), make("span", { class: "meta" }, [...row.more, row.unit].filter(Boolean).join("　")));
    for (const [name, on] of [["mouseenter", true], ["focusin", true], ["mouseleave", false], ["focusout", false]]) line.addEventListener(name, () => pins.get(row.id)?.getElement()?.classList.toggle("on", on));
    return line;
  }));
}

function showHeaps(heaps) {
  for (const heap of heaps) {
    const icon = L.divIcon({ className: "map-heap", html: heap.count, iconSize: [heap.count.length * 8 + 20, 30] });
    const [west, south, east, north] = heap.box.split(",").map(Number);
    L.marker([heap.lat, heap.lon], { icon, title: `这一格 ${heap.count} 条，点开放大`, alt: `${heap.count} 条` }).on("click", () => map.fitBounds([[south, west], [north, east]])).addTo(layer);
  }
  list.replaceChildren();
}

async function look() {
  const mine = ++turn;
  const view = map.getBounds();
  const ends = [Math.max(view.getWest(), 73.1), Math.max(view.getSouth(), 3.1), Math.min(view.getEast(), 135.9), Math.min(view.getNorth(), 53.9)];
  const address = new URL(box.dataset.map, location.href);
  address.searchParams.set("box", ends.map((end) => end.toFixed(6)).join(","));
  try {
    const response = await fetch(address, { headers: { "X-Guicheng-Fetch": "1", Accept: "application/json" } });
    const told = await response.json();
    if (mine !== turn) return;
    layer.clearLayers();
    pins.clear();
    if (!response.ok) { said.textContent = told.error?.message ?? "没有取到，请稍后再试。"; list.replaceChildren(); return; }
    if (told.heaps.length) showHeaps(told.heaps); else showRecords(told);
    said.textContent = told.said;
  } catch { if (mine === turn) said.textContent = "没连上服务器，请检查网络后再移动地图。"; }
}

for (const { kind, places } of JSON.parse(box.dataset.drawn || "[]")) {
  const style = { color: "#b3261e", weight: 2, fillOpacity: 0.06, interactive: false };
  if (kind === "near") L.circle([places[0][1], places[0][0]], { ...style, radius: places[0][2] }).addTo(map);
  else if (kind === "inside") L.polygon(places.map(([x, y]) => [y, x]), style).addTo(map);
}
if (box.dataset.extent) {
  const [west, south, east, north] = JSON.parse(box.dataset.extent);
  map.fitBounds([[south, west], [north, east]]);
}
map.on("moveend", quiet(look, 150));
map.on("click", ({ latlng }) => {
  const place = `${round(latlng.lng)},${round(latlng.lat)}`;
  if (near.closest("details").open) near.querySelector("[data-near-at]").value = place;
  else if (inside.closest("details").open) { const typed = inside.querySelector("textarea"); typed.value = [typed.value.trim(), place].filter(Boolean).join("\n"); redraw(); }
});
function redraw() { draft.setLatLngs(inside.querySelector("textarea").value.trim().split("\n").map((line) => line.split(/[,，\s]+/).map(Number)).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)).map(([x, y]) => [y, x])); }
inside.querySelector("textarea").addEventListener("input", redraw);
inside.querySelector("[data-map-undo]").addEventListener("click", () => { const typed = inside.querySelector("textarea"); typed.value = typed.value.trim().split("\n").slice(0, -1).join("\n"); redraw(); });
near.addEventListener("submit", () => { near.querySelector("[name=near]").value = `${near.querySelector("[data-near-at]").value},${near.querySelector("[data-near-far]").value}`; });
look();
