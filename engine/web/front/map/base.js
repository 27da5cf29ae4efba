// A Leaflet map with the district outlines, and with tiles where the deployment names some. Nothing is asked of outside by default.
import L from "leaflet";
import { districts } from "./districts.js";

export { L };
export const CITY = [[30.7, 120.85], [31.88, 122.0]];
let asked;

/** What the deployment says of maps; its style sheet is there when the promise holds. */
function ready() {
  asked ??= (async () => {
    const response = await fetch(new URL("maps/base.json", rootOf()), { headers: { "X-Guicheng-Fetch": "1" } });
    const told = await response.json();
    await new Promise((done) => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: told.css });
      link.onload = link.onerror = done;
      document.head.append(link);
    });
    return told;
  })();
  return asked;
}

/** The page's root, also below a sub-path: this script stands at <root>/static/dist/. */
const rootOf = () => new URL("../../", import.meta.url);

/** Outlines that an administrator brought in; the coarse ones that are built in when there are none or they can't be fetched. */
async function outlinesFrom(address) {
  try {
    const response = await fetch(address, { headers: { "X-Guicheng-Fetch": "1", Accept: "application/json" } });
    const found = response.ok ? await response.json() : null;
    return found?.features.length ? found : null;
  } catch { return null; }
}

/** ``outlines`` is the address of areas that are shaded above the districts; ``onArea(feature, layer)`` dresses what has a rank. */
export async function makeMap(box, { zoom = true, ranks = null, classes = 0, outlines = "", onArea = null } = {}) {
  const told = await ready();
  const base = (told.districts && await outlinesFrom(told.districts)) || districts;
  const above = outlines ? await outlinesFrom(outlines) : null;
  box.hidden = false;
  const map = L.map(box, { zoomControl: false, attributionControl: Boolean(told.note), scrollWheelZoom: zoom, keyboard: zoom, minZoom: 8, maxZoom: 20, zoomSnap: 0.5, fadeAnimation: false });
  if (zoom) L.control.zoom({ zoomInTitle: "放大", zoomOutTitle: "缩小", position: "topright" }).addTo(map);
  if (told.tiles) L.tileLayer(told.tiles, { attribution: told.note, maxZoom: 20, maxNativeZoom: 18 }).addTo(map);
  const style = ({ properties }) => shade(ranks?.[properties.code], classes, Boolean(told.tiles));
  const dress = onArea ?? ((one, layer) => layer.bindTooltip(one.properties.name));
  const lay = (shapes, ranked) => L.geoJSON(shapes, { style, interactive: ranked, onEachFeature: (one, layer) => { if (ranked) dress(one, layer); } }).addTo(map);
  const districtLayer = lay(base, Boolean(ranks) && !above);
  map.areas = above ? lay(above, Boolean(ranks)) : districtLayer;
  map.fitBounds(CITY);
  return map;
}

const SHADES = ["#e3ecf8", "#b9d0ee", "#86aee0", "#4a83c9", "#14407d"];

function shade(rank, classes, tiles) {
  const line = { color: "#5c687c", weight: 1, dashArray: "4 3" };
  if (rank === undefined || rank === null) return { ...line, fillColor: "#fff", fillOpacity: tiles ? 0 : 0.85 };
  return { ...line, fillColor: SHADES[classes > 1 ? Math.round(((SHADES.length - 1) * rank) / (classes - 1)) : 2], fillOpacity: 0.8 };
}

/** A marker drawn with CSS alone. */
export const dot = (kind = "", size = 18) => L.divIcon({ className: `map-dot ${kind}`, iconSize: [size, size] });
export const round = (degrees) => Math.round(degrees * 1e7) / 1e7;
