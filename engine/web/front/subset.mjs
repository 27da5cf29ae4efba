// Cuts Tabler (635 kB) down to the parts the pages use. An esbuild plugin: `@import "tabler-subset"` in a stylesheet
// yields every rule of Tabler whose classes are all in KEEP, and only those variables that are still read.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

// A page that needs another part of Tabler adds its classes here.
const KEEP = new Set(`btn btn-primary btn-lg form-control form-select form-check-input form-label input-group input-group-text
  input-icon input-icon-addon nav nav-tabs nav-link active table visually-hidden visually-hidden-focusable`.split(/\s+/));
const DROP = /data-bs-theme="?dark|data-theme|::-webkit-scrollbar|\[dir="?rtl"?\]|:host/;

function splitRules(css) {
  const rules = [];
  let depth = 0, start = 0, open = 0, quote = "";
  for (let at = 0; at < css.length; at++) {
    const c = css[at];
    if (quote) { if (c === "\\") at++; else if (c === quote) quote = ""; continue; }
    if (c === '"' || c === "'") quote = c;
    else if (c === "/" && css[at + 1] === "*") at = css.indexOf("*/", at) + 1;
    else if (c === "(" ) { const end = closing(css, at); at = end; }
    else if (c === "{") { if (depth++ === 0) open = at; }
    else if (c === "}" && --depth === 0) { rules.push([css.slice(start, open).replace(/\/\*.*?\*\//gs, "").trim(), css.slice(open + 1, at)]); start = at + 1; }
    else if (c === ";" && depth === 0) start = at + 1;
  }
  return rules;
}

function closing(css, from) {
  for (let at = from, depth = 0; at < css.length; at++) {
    if (css[at] === "(") depth++;
    else if (css[at] === ")" && --depth === 0) return at;
  }
  return css.length;
}

function splitSelectors(text) {
  const parts = [];
  let depth = 0, start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    else if (text[at] === "," && depth === 0) { parts.push(text.slice(start, at)); start = at + 1; }
  }
  return [...parts, text.slice(start)];
}

const wanted = (selector) => !DROP.test(selector) && (selector.match(/\.-?[a-zA-Z_][\w-]*/g) ?? []).every((name) => KEEP.has(name.slice(1)));

function keep(rules) {
  const kept = [];
  for (const [head, body] of rules) {
    if (/^@(media|supports)/.test(head)) {
      const inner = keep(splitRules(body));
      if (inner.length && !/prefers-color-scheme/.test(head)) kept.push([head, inner.map(([h, b]) => `${h}{${b}}`).join("")]);
    } else if (!head.startsWith("@")) {
      const selectors = splitSelectors(head).filter(wanted);
      if (selectors.length) kept.push([selectors.join(","), body]);
    }
  }
  return kept;
}

function dropUnreadVariables(css, alsoRead) {
  for (let before = -1; before !== css.length;) {
    before = css.length;
    const read = new Set([...(css + alsoRead).matchAll(/var\(\s*(--[\w-]+)/g)].map((m) => m[1]));
    css = css.replace(/(--tblr-[\w-]+):((?:[^;{}"'(]|"[^"]*"|'[^']*'|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*)(;|(?=\}))/g, (all, name) => (read.has(name) ? all : ""));
  }
  return css.replace(/[^{}]+\{\}/g, "");
}

/** The rules of `css` whose classes are all in KEEP; `alsoRead` is the CSS that may read Tabler's variables too. */
export function subset(css, alsoRead = "") {
  return dropUnreadVariables(keep(splitRules(css)).map(([head, body]) => `${head}{${body}}`).join("\n"), alsoRead);
}

function ourOwn(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".css")).map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

/** The esbuild plugin. `root` is the folder whose node_modules holds @tabler/core. */
export function tablerSubset(root = process.cwd()) {
  return {
    name: "tabler-subset",
    setup(build) {
      build.onResolve({ filter: /^tabler-subset$/ }, (args) => ({ path: args.path, namespace: "tabler", pluginData: args.importer }));
      build.onLoad({ filter: /.*/, namespace: "tabler" }, (args) => {
        const file = createRequire(resolve(root, "package.json")).resolve("@tabler/core/dist/css/tabler.min.css");
        return { contents: subset(readFileSync(file, "utf8"), ourOwn(dirname(args.pluginData))), loader: "css" };
      });
    },
  };
}
