// Fields on a map. Leaflet comes only with the first of them that is looked at.
import { installLocating } from "./locating.js";

const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) { watch.unobserve(target); open(target); }
}, { rootMargin: "200px" });

async function open(box) {
  try {
    if (box.matches("[data-map-shown]")) await (await import("../map/shown.js")).show(box);
    else await (await import("../map/edit.js")).edit(box);
  } catch { (box.querySelector("[data-place-said]") ?? box).textContent = "地图没有打开，请用坐标填写。"; }
}

export function installPlaces(page) {
  installLocating(page);
  for (const box of page.querySelectorAll("[data-place], [data-map-shown]")) {
    if (box.dataset.watched) continue;
    box.dataset.watched = "1";
    if (box.matches("[data-place]")) box.querySelector("[data-map-in]").hidden = false;
    watch.observe(box);
  }
}
