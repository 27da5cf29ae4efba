// <div data-areas='{"level", "classes", "outlines", "areas": {code: {rank, title, said, behind, inside}}}'>: a statistic's areas, shaded by their range.
import { L, makeMap } from "./map/base.js";
import { make } from "./form/shared.js";

for (const box of document.querySelectorAll("[data-areas]")) {
  const told = JSON.parse(box.dataset.areas);
  const ranks = Object.fromEntries(Object.entries(told.areas).map(([code, one]) => [code, one.rank]));
  const words = (one) => make("div", {}, make("b", {}, one.title), make("span", { class: "meta" }, one.said), ...(one.behind ? [make("a", { href: one.behind }, "看记录")] : []), ...(one.inside ? [make("span", {}, "　"), make("a", { href: one.inside }, "看各街镇")] : []));
  const onArea = ({ properties }, layer) => {
    const one = told.areas[properties.code];
    layer.bindTooltip(`${properties.name}${one ? `　${one.said}` : ""}`, { sticky: true });
    if (one) layer.bindPopup(() => words(one));
  };
  const map = await makeMap(box, { ranks, classes: told.classes, outlines: told.outlines, onArea });
  const held = map.areas.getLayers().filter((layer) => ranks[layer.feature.properties.code] !== undefined);
  if (held.length) map.fitBounds(L.featureGroup(held).getBounds(), { padding: [20, 20], maxZoom: 14, animate: false });
}
