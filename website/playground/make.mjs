// What only the Python of the browser can make: `node make.mjs compile IN OUT` turns the sources in an archive into its
// bytecode, `node make.mjs image IN OUT` starts it with the files of an archive, and writes its memory once it has
// read, checked, drawn and answered a text.

import { readFileSync, writeFileSync } from "node:fs";
import { Files, Python, unpacked } from "./python.js";

const [what, wasm, archive, into, program] = process.argv.slice(2);
const module = await WebAssembly.compile(readFileSync(wasm));
const files = new Files();
for (const [path, bytes] of unpacked(readFileSync(archive))) files.put(path, bytes, true);
let said = "";
const python = await Python.start(module, files, { written: (_, bytes) => { said += Buffer.from(bytes).toString(); } });
const status = python.turn(readFileSync(program, "utf8"));
if (status !== 0) {
  console.error(said);
  process.exit(1);
}
if (what === "image") writeFileSync(into, new Uint8Array(python.wasi.memory.buffer));
else writeFileSync(into, files.find("/tmp/out").bytes.subarray(0, files.find("/tmp/out").size));
