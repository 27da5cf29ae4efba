// A chart as a PNG: its title, the drawing, the figures as a table, and whose screen it was taken from and when.
const SCALE = 2, EDGE = 24, LINE = 28, MOST_ROWS = 60;

export async function saveChart(box, told) {
  const title = (box.getAttribute("aria-label") ?? "统计图").split("，")[0];
  const drawing = await picture(box.querySelector("svg"));
  const rows = table(told), width = Math.max(box.clientWidth, 560) + EDGE * 2;
  const canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = (EDGE * 3 + LINE + box.clientHeight + rows.length * LINE + LINE * 2) * SCALE;
  const pen = canvas.getContext("2d");
  pen.scale(SCALE, SCALE);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const style = getComputedStyle(box);
  const write = (text, x, y, { size = 14, weight = "", align = "left", colour = "#18212f" } = {}) => {
    pen.font = `${weight} ${size}px ${style.fontFamily}`;
    pen.textAlign = align;
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  };
  write(title, EDGE, EDGE + 18, { size: 18, weight: "600" });
  pen.drawImage(drawing, EDGE, EDGE + LINE, box.clientWidth, box.clientHeight);
  let y = EDGE * 2 + LINE + box.clientHeight;
  rows.forEach((cells, at) => {
    const column = (width - EDGE * 2) / (cells.length + 1);
    cells.forEach((cell, place) => write(cell, place ? EDGE + column * (place + 2) - 8 : EDGE, y, { weight: at ? "" : "600", align: place ? "right" : "left" }));
    pen.fillStyle = "#d8dee8";
    pen.fillRect(EDGE, y + 9, width - EDGE * 2, 1);
    y += LINE;
  });
  write(mark(), EDGE, y + LINE / 2, { size: 12, colour: "#5c687c" });
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${title}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The figures as lines of text, the names of the series first. */
function table(told) {
  const said = (value) => (value === null || value === undefined ? "无" : value.toLocaleString("zh-CN"));
  const unit = told.unit ? `（${told.unit}）` : "";
  if (told.kind === "map") return [["", `${told.name}${unit}`], ...told.areas.slice(0, MOST_ROWS).map((one) => [one.title, said(one.value)])];
  const rows = told.labels.slice(0, MOST_ROWS).map((label, at) => [label, ...told.series.map((one) => said(one.values[at]))]);
  return [["", ...told.series.map((one) => `${one.name}${unit}`)], ...rows];
}

async function picture(svg) {
  const text = new XMLSerializer().serializeToString(svg);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  return image;
}

/** What the page's watermark says: who and when. */
function mark() {
  const told = decodeURIComponent(document.querySelector(".watermark")?.style.backgroundImage ?? "").match(/>([^<>]+)<\/text>/);
  return `导出：${told?.[1] ?? new Date().toLocaleString("zh-CN")}`;
}
