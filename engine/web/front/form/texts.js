// Long texts: how many characters; opinions: frequently used ones by one press.
import { touched } from "./shared.js";

export function installTexts(page) {
  page.addEventListener("input", (event) => {
    const text = event.target;
    if (text.tagName !== "TEXTAREA") return;
    const count = page.querySelector(`[data-count-of="${CSS.escape(text.id)}"]`);
    if (!count) return;
    const length = [...text.value].length;
    const most = Number(text.dataset.most || 0);
    count.textContent = most && length > most ? `${length} 字，超出 ${length - most} 字` : `${length} 字`;
    count.classList.toggle("late", Boolean(most) && length > most);
  });
  page.addEventListener("click", (event) => {
    const phrase = event.target.closest("[data-phrases-for] button");
    if (!phrase) return;
    const box = document.getElementById(phrase.parentElement.dataset.phrasesFor);
    const before = box.value.trimEnd();
    box.value = before && !before.endsWith(phrase.textContent) ? `${before}${/[。；，！？]$/.test(before) ? "" : "，"}${phrase.textContent}` : phrase.textContent;
    touched(box);
    box.focus();
  });
}
