// The widgets point and outline: the typed coordinates are the form's truth, the map writes them and follows them.
import { quiet, settle, touched } from "../form/shared.js";
import { L, dot, makeMap, round } from "./base.js";

const say = (box, words) => { const place = box.querySelector("[data-place-said]"); if (place) place.textContent = words; };
const control = (box, part) => box.querySelector(`[name$=".${part}"]`);
const plain = (box) => (control(box, "datum")?.value ?? "cgcs2000") === "cgcs2000";

function write(input, text) {
  input.value = text;
  touched(input);
  if (input.matches("[data-live]")) settle(input);
}

export async function edit(box) {
  const frame = box.querySelector("[data-map-in]");
  const map = await makeMap(frame);
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "地图，也可以用坐标填写");
  box.querySelector("[data-map-acts]").hidden = false;
  new ResizeObserver(() => map.invalidateSize()).observe(frame);
  (box.dataset.place === "point" ? editPoint : editOutline)(box, map);
}

function editPoint(box, map) {
  const [lon, lat] = [control(box, "lon"), control(box, "lat")];
  let marker = null;
  const put = (at, look) => {
    marker ??= L.marker(at, { icon: dot("here", 26), draggable: true, title: "拖动改位置", alt: "所选位置" }).addTo(map).on("dragend", () => take(marker.getLatLng()));
    marker.setLatLng(at);
    if (look) map.setView(at, Math.max(map.getZoom(), 15));
  };
  const take = (at) => {
    control(box, "datum").value = "cgcs2000";
    write(lon, round(at.lng));
    write(lat, round(at.lat));
    put(at, false);
    say(box, "已取图上的位置");
  };
  const follow = (look) => {
    const [x, y] = [Number(lon.value), Number(lat.value)];
    const fits = lon.value && lat.value && x > 73 && x < 136 && y > 3 && y < 54;
    if (fits && plain(box)) put([y, x], look);
    else if (marker) { marker.remove(); marker = null; }
    say(box, fits && !plain(box) ? "保存时换算成 CGCS2000，换算前不在图上标出" : "");
  };
  map.on("click", (event) => take(event.latlng));
  for (const one of [lon, lat]) one.addEventListener("change", () => follow(true));
  control(box, "datum").addEventListener("change", () => follow(true));
  box.addEventListener("place:put", (event) => take(L.latLng(event.detail.lat, event.detail.lon)) ?? map.setView([event.detail.lat, event.detail.lon], 16));
  box.querySelector("[data-place-here]").addEventListener("click", () => locate(box, (at) => { take(at); map.setView(at, 17); }));
  box.querySelector("[data-place-clear]").addEventListener("click", () => { write(lon, ""); write(lat, ""); follow(false); });
  lon.addEventListener("paste", (event) => {
    const [x, y] = (event.clipboardData.getData("text").match(/-?\d+(\.\d+)?/g) ?? []);
    if (y !== undefined) { event.preventDefault(); write(lon, x); write(lat, y); follow(true); }
  });
  follow(true);
}

function locate(box, done) {
  if (!navigator.geolocation) return say(box, "这台设备取不到位置，请在图上点，或填坐标。");
  say(box, "正在取位置…");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => { done(L.latLng(coords.latitude, coords.longitude)); say(box, `已取位置，误差约 ${Math.round(coords.accuracy)} 米`); },
    () => say(box, "没有取到位置：请允许浏览器使用定位，或在图上点。"), { enableHighAccuracy: true, timeout: 15000 });
}

const readLines = (text) => text.split(/[\n;；]+/).map((line) => line.trim().split(/[\s,，]+/).map(Number)).filter((pair) => pair.length >= 2 && pair.every(Number.isFinite));

function editOutline(box, map) {
  const typed = control(box, "text");
  const state = { places: [], drawing: false };
  const area = L.polygon([], { color: "#14407d", weight: 2, interactive: false }).addTo(map);
  const handles = L.layerGroup().addTo(map);
  const keep = () => { control(box, "datum").value = "cgcs2000"; write(typed, state.places.map(([x, y]) => `${x},${y}`).join("\n")); draw(); };
  const draw = () => {
    area.setLatLngs(state.places.map(([x, y]) => [y, x]));
    handles.clearLayers();
    if (state.places.length > 300) return say(box, `${state.places.length} 个顶点，太密，请在坐标里改。`);
    state.places.forEach(([x, y], place) => {
      const handle = L.marker([y, x], { icon: dot("corner", 16), draggable: true, title: `第 ${place + 1} 点：拖动移动，双击删去`, alt: `第 ${place + 1} 点` }).addTo(handles);
      handle.on("drag", ({ latlng }) => { state.places[place] = [round(latlng.lng), round(latlng.lat)]; area.setLatLngs(state.places.map(([a, b]) => [b, a])); });
      handle.on("dragend", keep);
      handle.on("dblclick", (event) => { L.DomEvent.stop(event); state.places.splice(place, 1); keep(); });
      const [a, b] = state.places[(place + 1) % state.places.length];
      if (state.places.length > 2) L.marker([(y + b) / 2, (x + a) / 2], { icon: dot("between", 12), title: "点一下在这里加一个顶点", alt: `第 ${place + 1} 点之后加一点` }).addTo(handles).on("click", () => { state.places.splice(place + 1, 0, [round((x + a) / 2), round((y + b) / 2)]); keep(); });
    });
    say(box, state.places.length ? `${state.places.length} 个顶点${state.places.length < 3 ? "，至少三个" : ""}` : "");
  };
  const follow = () => {
    state.places = plain(box) && !typed.value.trim().startsWith("{") ? readLines(typed.value) : [];
    draw();
    if (state.places.length) map.fitBounds(state.places.map(([x, y]) => [y, x]), { maxZoom: 18, padding: [30, 30] });
  };
  const button = box.querySelector("[data-place-draw]");
  button.addEventListener("click", () => { state.drawing = !state.drawing; button.setAttribute("aria-pressed", state.drawing); button.textContent = state.drawing ? "画好了" : "在图上加顶点"; map.doubleClickZoom[state.drawing ? "disable" : "enable"](); map.getContainer().classList.toggle("drawing", state.drawing); });
  map.on("click", ({ latlng }) => { if (state.drawing) { state.places.push([round(latlng.lng), round(latlng.lat)]); keep(); } });
  box.querySelector("[data-place-undo]").addEventListener("click", () => { state.places.pop(); keep(); });
  box.querySelector("[data-place-clear]").addEventListener("click", () => { state.places = []; keep(); });
  typed.addEventListener("input", quiet(() => { if (document.activeElement === typed) follow(); }, 600));
  control(box, "datum").addEventListener("change", follow);
  follow();
}
