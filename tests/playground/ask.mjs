// Runs code in the Python of a built playground without a browser: `node ask.mjs SITE CODE`, a file with a JSON text of
// Python on each line. What it prints comes back; behind each a line with its status.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [site, code] = process.argv.slice(2);
const { Files, Python, unpacked } = await import(pathToFileURL(join(site, "python.js")));
const part = {};
for (const each of JSON.parse(readFileSync(join(site, "runtime.json")))) part[each.part] = gunzipSync(readFileSync(join(site, each.file)));
const files = new Files();
for (const [path, bytes] of unpacked(part.files)) files.put(path, bytes);
const module = await WebAssembly.compile(part.python);
const python = await Python.start(module, files, { image: part.image, written: (_, bytes) => process.stdout.write(bytes) });
for (const line of readFileSync(code, "utf8").trim().split("\n")) {
  const status = python.turn(JSON.parse(line));
  console.log(JSON.stringify({ kind: "done", status }));
}
