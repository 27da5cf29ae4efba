// Charts of statistics: <div data-chart='{"kind":"bar", …}'>. ECharts and the map come only when a chart comes into sight.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
}, { rootMargin: "200px" });

async function draw(box) {
  box.dataset.drawn = "1";
  try {
    const { drawChart } = await import("./charts/draw.js");
    await drawChart(box, JSON.parse(box.dataset.chart));
    if (!box.closest(".screen")) offer(box);
  } catch {
    box.textContent = "图没有画出来，数字都在表里。";
  }
}

/** A button beside the chart that saves it as a picture, with its figures. */
function offer(box) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "btn btn-s save-chart", textContent: "下载图" });
  button.setAttribute("aria-label", `下载图：${(box.getAttribute("aria-label") ?? "").split("，")[0]}`);
  button.addEventListener("click", async () => {
    const { saveChart } = await import("./charts/save.js");
    await saveChart(box, JSON.parse(box.dataset.chart));
  });
  box.after(button);
}

function watch(root) {
  for (const box of root.querySelectorAll("[data-chart]:not([data-drawn])")) seen.observe(box);
}

watch(document);
document.addEventListener("htmx:afterSettle", () => watch(document));

// The time on the big screen goes on by itself; what the figures say is renewed by the page.
const clock = document.querySelector("[data-clock]");
if (clock) setInterval(() => {
  clock.textContent = new Date().toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit", weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}, 1000);
