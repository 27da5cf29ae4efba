// Draws a diagram with the path taken, the place now, and who was there when.
// <div class="canvas" data-diagram="address of the BPMN" data-path='{"done":[…],"here":[…],"by":{"node":"words"}}'>
import Viewer from "bpmn-js/lib/NavigatedViewer";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function draw(box) {
  box.dataset.drawn = "1";
  const path = JSON.parse(box.dataset.path || "{}");
  let xml;
  try {
    const response = await fetch(box.dataset.diagram);
    if (!response.ok) throw new Error(response.status);
    xml = await response.text();
  } catch {
    box.textContent = "流程图没有取到，请刷新页面。";
    return;
  }
  const viewer = new Viewer({
    container: box,
    bpmnRenderer: { defaultStrokeColor: style("--field"), defaultLabelColor: style("--ink-3"), defaultFillColor: "#fff" },
    textRenderer: { defaultStyle: { fontFamily: style("--sans"), fontSize: 13, lineHeight: 1.4 }, externalStyle: { fontSize: 13 } },
  });
  try {
    await viewer.importXML(roomForLabels(xml));
  } catch {
    box.textContent = "这张流程图没有画好布局，看不了图；步骤列在下面的表里。";
    return;
  }
  mark(viewer, path);
  fit(viewer, box, path);
}

/** Labels beside events and gateways get the width their words need; editors save them too narrow for Chinese. */
function roomForLabels(xml) {
  const file = new DOMParser().parseFromString(xml, "text/xml");
  const names = new Map([...file.getElementsByTagName("*")].filter((e) => e.id && e.getAttribute("name")).map((e) => [e.id, e.getAttribute("name")]));
  for (const label of file.getElementsByTagNameNS("http://www.omg.org/spec/BPMN/20100524/DI", "BPMNLabel")) {
    const bounds = label.getElementsByTagNameNS("http://www.omg.org/spec/DD/20100524/DC", "Bounds")[0];
    const name = names.get(label.parentElement.getAttribute("bpmnElement"));
    if (!bounds || !name) continue;
    const [x, width] = [Number(bounds.getAttribute("x")), Number(bounds.getAttribute("width"))];
    const needed = Math.min(Math.max(...name.split("\n").map((line) => line.length)) * 14 + 6, 104);
    if (needed <= width) continue;
    bounds.setAttribute("x", x - (needed - width) / 2);
    bounds.setAttribute("width", needed);
  }
  return new XMLSerializer().serializeToString(file);
}

function mark(viewer, path) {
  const canvas = viewer.get("canvas"), registry = viewer.get("elementRegistry"), overlays = viewer.get("overlays");
  const known = (ids = []) => ids.filter((id) => registry.get(id));
  for (const id of known(path.done)) canvas.addMarker(id, "done");
  for (const id of known(path.here)) { canvas.removeMarker(id, "done"); canvas.addMarker(id, "here"); }
  for (const name of ["trouble", "added", "changed", "removed"]) for (const id of known(path[name])) canvas.addMarker(id, name);
  for (const id of known(Object.keys(path.by ?? {}))) {
    const words = document.createElement("div");
    words.className = "by";
    words.append(Object.assign(document.createElement("span"), { textContent: path.by[id] }));
    const shape = registry.get(id);
    words.style.width = `${Math.max(shape.width, 110)}px`;
    overlays.add(id, { position: { bottom: -4, left: (shape.width - Math.max(shape.width, 110)) / 2 }, html: words });
  }
}

function fit(viewer, box, path) {
  const canvas = viewer.get("canvas");
  const inner = canvas.viewbox().inner;
  const readable = Math.min(box.clientWidth / (inner.width + 24), 1);
  if (!box.classList.contains("fixed")) box.style.height = `${Math.min(Math.max((inner.height + 70) * Math.max(readable, 0.7), 180), 620)}px`;
  canvas.resized();
  if (readable >= 0.62) {
    canvas.viewbox({ x: inner.x - 12, y: inner.y - 12, width: inner.width + 24, height: inner.height + 60 });
    if (canvas.zoom() > 1) canvas.zoom(1);
  } else {
    canvas.zoom(0.75, { x: 0, y: 0 });
    const first = (path.here ?? []).find((id) => viewer.get("elementRegistry").get(id));
    if (first) canvas.scrollToElement(first, 80);
  }
}

function drawAll(scope = document) {
  for (const box of scope.querySelectorAll?.("[data-diagram]") ?? []) if (!box.dataset.drawn && box.offsetParent !== null) draw(box);
}

document.addEventListener("htmx:afterSettle", () => drawAll());
document.addEventListener("guicheng:swapped", () => drawAll());
document.addEventListener("guicheng:shown", () => drawAll());
document.addEventListener("toggle", () => drawAll(), true);
drawAll();
