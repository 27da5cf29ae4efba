// The outlines of the sixteen districts: coarse, datum not stated, for orientation and shading only.
import shanghai from "echarts4/map/json/province/shanghai.json";

/** A ring as ECharts packs it: differences in 1/1024 degree, zigzag, offset by 64. */
function unpack(text, [x, y]) {
  const ring = [];
  for (let place = 0; place < text.length; place += 2) {
    const [dx, dy] = [0, 1].map((end) => text.charCodeAt(place + end) - 64).map((code) => (code >> 1) ^ -(code & 1));
    x += dx;
    y += dy;
    ring.push([x / 1024, y / 1024]);
  }
  return ring;
}

const feature = ({ id, geometry, properties }) => ({
  type: "Feature", properties: { code: String(id), name: properties.name },
  geometry: { type: geometry.type, coordinates: geometry.coordinates.map((part, place) => (Array.isArray(part) ? part.map((ring, inner) => unpack(ring, geometry.encodeOffsets[place][inner])) : unpack(part, geometry.encodeOffsets[place]))) },
});

export const districts = { type: "FeatureCollection", features: shanghai.features.map(feature) };
