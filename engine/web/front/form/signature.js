// A handwritten signature: drawn with finger, pen or mouse, uploaded as a PNG.
import { signInAgain } from "../app/relogin.js";
import { touched } from "./shared.js";
import { upload } from "./uploads.js";

export function installSignatures(page) {
  for (const box of page.querySelectorAll("[data-signature]")) install(box);
}

const savers = new WeakMap();

// What was drawn is saved with the form, also when nobody pressed 签好了.
document.addEventListener("act:ready", (event) => {
  for (const box of event.target.querySelectorAll("[data-signature][data-drawn]")) if (savers.has(box)) event.detail.wait(savers.get(box)());
});

function install(box) {
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  const canvas = box.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const state = { drawing: false, strokes: 0, last: null, saving: null };
  const save = () => (state.saving ??= finish(box, canvas, state).finally(() => { state.saving = null; }));
  savers.set(box, save);
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#18212f";
  canvas.addEventListener("pointerdown", (event) => { event.preventDefault(); canvas.setPointerCapture(event.pointerId); state.drawing = true; state.strokes++; box.dataset.drawn = "1"; state.last = point(canvas, event); });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.drawing) return;
    const next = point(canvas, event);
    pen.lineWidth = 3 + 3 * (event.pressure || 0.5);
    pen.beginPath();
    pen.moveTo(...state.last);
    pen.lineTo(...next);
    pen.stroke();
    state.last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { state.drawing = false; });
  box.querySelector("[data-sign-clear]").addEventListener("click", () => { wipe(canvas, pen, state); delete box.dataset.drawn; });
  box.querySelector("[data-sign-done]").addEventListener("click", save);
  box.querySelector("[data-sign-again]").addEventListener("click", () => { wipe(canvas, pen, state); show(box, ""); });
}

const say = (box, words) => { box.querySelector("[data-sign-state]").textContent = words; };

function point(canvas, event) {
  const frame = canvas.getBoundingClientRect();
  return [((event.clientX - frame.left) / frame.width) * canvas.width, ((event.clientY - frame.top) / frame.height) * canvas.height];
}

function wipe(canvas, pen, state) {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  state.strokes = 0;
}

async function finish(box, canvas, state) {
  if (!state.strokes) return say(box, "还没有写，请先在框里写名字。");
  say(box, "正在保存签名…");
  const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const answer = await upload(box.dataset.signature, { file: new File([picture], "签名.png", { type: "image/png" }), field: box.dataset.fieldName });
  if (answer.status === 401 && (await signInAgain())) return finish(box, canvas, state);
  if (!answer.ok) return say(box, answer.body?.error?.message ?? "没有传上去，请检查网络后再点“签好了”。");
  say(box, "");
  show(box, answer.body.id, answer.body.url);
}

function show(box, id, url) {
  const hidden = box.querySelector("input[type=hidden]");
  hidden.value = id;
  delete box.dataset.drawn;
  if (url) box.querySelector("img").src = url;
  box.querySelector(".sign-shown").hidden = !id;
  box.querySelector(".sign-pad").hidden = Boolean(id);
  touched(hidden);
}
