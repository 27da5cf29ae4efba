// [data-map-shown='{GeoJSON}']: a small map that only shows.
import { L, dot, makeMap } from "./base.js";

export async function show(box) {
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  const map = await makeMap(box, { zoom: false });
  const layer = L.geoJSON(JSON.parse(box.dataset.mapShown), { pointToLayer: (_, at) => L.marker(at, { icon: dot(), interactive: false, keyboard: false }), style: { color: "#14407d", weight: 2 }, interactive: false }).addTo(map);
  map.fitBounds(layer.getBounds(), { maxZoom: 15, padding: [20, 20] });
}
