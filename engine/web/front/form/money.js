// Amounts: 大写 as one types, thousands when one leaves. The server says the same by the same rule.
const DIGITS = "零壹贰叁肆伍陆柒捌玖";
const PLACES = ["", "拾", "佰", "仟"];

export function installMoney(page) {
  page.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[data-money]")) return;
    const shown = page.querySelector(`[data-capital-of="${CSS.escape(field.id)}"]`);
    const cents = centsOf(field.value);
    if (shown) shown.textContent = cents === null ? "" : capital(cents);
  });
  page.addEventListener("focusout", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-money]")) return;
    const cents = centsOf(field.value);
    if (cents !== null) field.value = grouped(cents);
  });
}

/** The amount in 分 as a BigInt; null when it is none. */
export function centsOf(text) {
  const plain = text.normalize("NFKC").replace(/[\s,，¥￥元]/g, "");
  const found = /^(-?)(\d{1,16})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!found) return null;
  const cents = BigInt(found[2]) * 100n + BigInt((found[3] ?? "").padEnd(2, "0"));
  return found[1] ? -cents : cents;
}

export function grouped(cents) {
  const size = cents < 0n ? -cents : cents;
  const whole = String(size / 100n).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${cents < 0n ? "-" : ""}${whole}.${String(size % 100n).padStart(2, "0")}`;
}

export function capital(cents) {
  const size = cents < 0n ? -cents : cents;
  if (size === 0n) return "人民币零元整";
  const yuan = size / 100n;
  const [jiao, fen] = [Number((size / 10n) % 10n), Number(size % 10n)];
  let words = yuan ? `${whole(yuan)}元` : "";
  if (jiao) words += `${DIGITS[jiao]}角`;
  else if (fen && yuan) words += "零";
  words += fen ? `${DIGITS[fen]}分` : "整";
  return `人民币${cents < 0n ? "负" : ""}${words}`;
}

function whole(yuan) {
  const parts = [3, 2, 1, 0].map((section) => Number((yuan / 10000n ** BigInt(section)) % 10000n));
  const units = [parts[1] ? "万" : "万亿", "亿", "万", ""];
  let words = "";
  let gap = false;
  parts.forEach((part, place) => {
    if (!part) { gap = Boolean(words); return; }
    if (words && (gap || part < 1000)) words += "零";
    words += four(part) + units[place];
    gap = false;
  });
  return words;
}

function four(part) {
  let words = "";
  let zero = false;
  for (let place = 3; place >= 0; place--) {
    const digit = Math.floor(part / 10 ** place) % 10;
    if (digit) { words += (zero && words ? "零" : "") + DIGITS[digit] + PLACES[place]; zero = false; } else zero = true;
  }
  return words;
}
