// Builds the front: every .js and .css file of this folder is an entry, found by being here, and becomes a file with a
// hash in its name in engine/web/static/dist, with manifest.json telling which. `node build.mjs [--watch]`; node_modules
// may stand beside this tree or at GUICHENG_NODE_MODULES.
import { build, context } from "esbuild";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tablerSubset } from "./subset.mjs";

const front = dirname(fileURLToPath(import.meta.url));
const root = resolve(front, "../../..");
const dist = resolve(front, "../static/dist");

async function entries() {
  const names = (await readdir(front)).filter((name) => /\.(js|css)$/.test(name)).sort();
  return names.map((name) => join(front, name));
}

/** A name such as "case.js" to the file that is served for it, "case-3XK2A7QD.js". */
function manifestOf(metafile) {
  const manifest = {};
  for (const [file, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint) manifest[basename(output.entryPoint)] = relative(dist, resolve(root, file));
  }
  return manifest;
}

const finish = {
  name: "manifest",
  setup(api) {
    api.onEnd(async (result) => {
      if (result.errors.length) return;
      const kept = new Set(Object.keys(result.metafile.outputs).map((file) => relative(dist, resolve(root, file))));
      const partial = join(dist, "manifest.json.partial");
      await writeFile(partial, JSON.stringify(manifestOf(result.metafile), null, 1));
      await rename(partial, join(dist, "manifest.json"));
      for (const name of await readdir(dist)) if (name !== "manifest.json" && !kept.has(name)) await rm(join(dist, name), { recursive: true });
    });
  },
};

await mkdir(dist, { recursive: true });
const options = {
  absWorkingDir: root,
  entryPoints: await entries(),
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  sourcemap: "linked",
  target: ["chrome100", "firefox100", "safari15"],
  metafile: true,
  legalComments: "linked",
  loader: { ".woff": "file", ".woff2": "file", ".ttf": "file", ".eot": "file", ".svg": "file", ".png": "file" },
  external: ["/static/*"],
  plugins: [tablerSubset(root), finish],
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  const result = await build(options);
  for (const [file, output] of Object.entries(result.metafile.outputs)) {
    if (output.entryPoint) console.log(`${basename(file)}  ${Math.ceil(output.bytes / 1024)} kB`);
  }
}
