// Files and photos: uploaded at once, with a bar; large photos are made smaller first.
import { csrf, post } from "../app/net.js";
import { signInAgain } from "../app/relogin.js";
import { make, touched } from "./shared.js";

const SIDE = 2560;
const LIGHT = 1.5 * 2 ** 20;

export function installUploads(page) {
  page.addEventListener("change", (event) => {
    if (!event.target.matches("[data-pick]")) return;
    takeAll(event.target.closest("[data-uploads]"), [...event.target.files]);
    event.target.value = "";
    event.stopPropagation();
  });
  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove-upload]");
    if (button) remove(button.closest("li"));
  });
  for (const kind of ["dragover", "dragleave", "drop"]) page.addEventListener(kind, (event) => {
    const box = event.target.closest?.("[data-uploads]");
    if (!box) return;
    event.preventDefault();
    box.classList.toggle("drop", kind === "dragover");
    if (kind === "drop") takeAll(box, [...event.dataTransfer.files]);
  });
}

function takeAll(box, files) {
  const room = Number(box.dataset.most) - box.querySelectorAll("li:not(.picker)").length;
  for (const file of files.slice(0, room)) take(box, file);
  if (files.length > room) tell(box, `最多 ${box.dataset.most} 个，多出的 ${files.length - room} 个没有传。`);
}

function tell(box, words) {
  box.querySelector(":scope > .err")?.remove();
  box.append(make("p", { class: "err", role: "alert" }, words));
}

async function take(box, file) {
  const photo = box.dataset.kind === "photos";
  const item = photo ? photoItem(box, file) : fileItem(file);
  const list = box.querySelector("ul");
  const picker = list.querySelector(".picker");
  picker ? picker.before(item) : list.append(item);
  const send = async () => {
    item.querySelector(".err")?.remove();
    item.querySelector(".again")?.remove();
    const smaller = photo ? await shrink(file) : file;
    if (smaller.size > Number(box.dataset.bytes)) return fail(item, `太大，最多 ${Math.floor(Number(box.dataset.bytes) / 2 ** 20)} 兆。`);
    const answer = await upload(box.dataset.uploads, { file: smaller, field: box.dataset.fieldName, ...(box.dataset.compress ? { compress: "1" } : {}), capture: JSON.stringify({ taken_at: new Date(file.lastModified).toISOString() }) }, (part) => progress(item, file, part));
    if (answer.status === 401 && (await signInAgain())) return send();
    if (!answer.ok) return fail(item, answer.body?.error?.message ?? "没有传上去，请检查网络。", answer.body ? null : send);
    box.querySelector(":scope > .err")?.remove();
    done(box, item, answer.body, photo);
  };
  await send();
}

function fileItem(file) {
  return make("li", { "data-busy": true }, make("span", {}, file.name), make("span", { class: "meta", role: "status" }, "准备上传"), bar(file.name));
}

function photoItem(box, file) {
  const shot = make("div", { class: "shot up" }, bar(file.name));
  if (file.type.startsWith("image/")) {
    const image = make("img", { alt: "" });
    image.src = URL.createObjectURL(file);
    image.onload = () => URL.revokeObjectURL(image.src);
    shot.prepend(image);
  }
  return make("li", { "data-busy": true }, shot, make("span", { class: "meta", role: "status" }, "准备上传"));
}

const bar = (name) => make("div", { class: "prog", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0", "aria-label": `${name} 上传` }, make("i", { style: "width:0" }));

function progress(item, file, part) {
  const percent = Math.round(part * 100);
  const shown = item.querySelector(".prog");
  if (!shown) return;
  shown.setAttribute("aria-valuenow", String(percent));
  shown.firstElementChild.style.width = `${percent}%`;
  item.querySelector("[role=status]").textContent = `正在上传 ${percent}%，${(file.size / 2 ** 20).toFixed(1)} 兆`;
}

/** POST multipart with progress; {ok, status, body}, body null when the server could not be reached. */
export function upload(url, values, moved = () => {}) {
  return new Promise((resolve) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) value instanceof Blob ? body.append(name, value, value.name ?? "signature.png") : body.append(name, value);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.setRequestHeader("X-CSRF-Token", csrf());
    request.setRequestHeader("X-Guicheng-Fetch", "1");
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => { if (event.lengthComputable) moved(event.loaded / event.total); };
    request.onload = () => resolve({ ok: request.status < 300, status: request.status, body: request.response });
    request.onerror = () => resolve({ ok: false, status: 0, body: null });
    request.send(body);
  });
}

function fail(item, words, again) {
  item.removeAttribute("data-busy");
  item.querySelector(".prog")?.remove();
  item.querySelector("[role=status]").textContent = "";
  item.append(make("p", { class: "err", role: "alert" }, words));
  if (again) {
    const button = make("button", { type: "button", class: "btn btn-s again" }, "再传一次");
    button.addEventListener("click", again);
    item.append(button);
  }
  if (!item.querySelector("[data-remove-upload]")) item.append(trash("没有传上去的文件"));
}

function done(box, item, meta, photo) {
  const place = nextPlace(box);
  const name = `${box.dataset.name}.${place}`;
  const id = make("input", { type: "hidden", name: `${name}.id`, value: meta.id });
  item.removeAttribute("data-busy");
  item.dataset.fresh = meta.url;
  if (photo) {
    const image = make("img", { alt: "", src: meta.thumbnail });
    const caption = make("input", { class: "form-control cap", name: `${name}.caption`, placeholder: "说明", "aria-label": `第 ${place + 1} 张的说明` });
    item.replaceChildren(id, make("a", { class: "shot", href: meta.url, target: "_blank", rel: "noopener", "aria-label": `看大图：${meta.name}` }, image), caption, trash(meta.name));
  } else {
    item.replaceChildren(id, make("a", { class: "go", href: meta.url, target: "_blank", rel: "noopener" }, meta.name), make("span", { class: "meta" }, size(meta.size)), trash(meta.name));
  }
  if (meta.progress) follow(item, meta.progress);
  touched(id);
}

/** Say how far the background has come with making the file smaller, until it has ended. */
async function follow(item, url) {
  const said = make("span", { class: "meta", role: "status" }, "等待压缩");
  item.append(said);
  for (let pause = 1000; item.isConnected; pause = Math.min(pause * 1.3, 8000)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) continue;
    const one = await answer.json();
    if (one.state === "working") said.textContent = `正在压缩 ${one.percent}%`;
    if (["waiting", "working"].includes(one.state)) continue;
    said.textContent = one.state === "done" ? `已压缩：${size(one.before)} → ${size(one.size)}` : one.words;
    return;
  }
}

const size = (bytes) => (bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} 兆` : `${Math.max(1, Math.round(bytes / 1024))} KB`);

function trash(name) {
  const button = make("button", { type: "button", class: "plain del", "data-remove-upload": true, "aria-label": `删去 ${name}` });
  button.innerHTML = '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"/></svg>';
  return button;
}

function nextPlace(box) {
  const start = box.dataset.name.length + 1;
  const used = [...box.querySelectorAll("input[name$='.id']")].map((input) => Number.parseInt(input.name.slice(start), 10));
  return used.length ? Math.max(...used) + 1 : 0;
}

function remove(item) {
  const list = item.parentElement;
  if (item.dataset.fresh) post(`${item.dataset.fresh}/remove`).catch(() => {});
  item.remove();
  touched(list);
  list.closest("[data-uploads]").querySelector("[data-pick]").focus();
}

/** A JPEG of at most 2560 pixels a side; the file itself when it is light already or no picture that this browser reads. */
async function shrink(file) {
  if (!file.type.startsWith("image/")) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    if (scale === 1 && file.size <= LIGHT && /jpeg|png|webp/.test(file.type)) return file;
    const canvas = make("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.86));
    return blob ? new File([blob], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg", lastModified: file.lastModified }) : file;
  } catch {
    return file;
  }
}
