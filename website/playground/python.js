// One Python, compiled to WebAssembly, that lives from one request to the next.

import { Files, ProgramExit, Wasi } from "./wasi.js";

export { Files, ProgramExit };

const ENVIRONMENT = { HOME: "/tmp", TMPDIR: "/tmp", PYTHONDONTWRITEBYTECODE: "1" };
const WORK = "/tmp/work"; // the folder of the texts
const PAGE = 65536; // bytes

/** The files of an archive, as pairs of path and bytes: a length, a list of paths and sizes in JSON, the bytes. */
export function* unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  let at = 4 + length;
  for (const [path, size] of JSON.parse(new TextDecoder().decode(bytes.subarray(4, at)))) {
    yield [path, bytes.subarray(at, (at += size))];
  }
}

/** A Python that has started. What it prints goes to `written(descriptor, bytes)`. */
export class Python {
  /** Start one; where an image of the memory of one that has started is given, go on from there. */
  static async start(module, files, { written, image = null }) {
    files.folder(WORK);
    const wasi = new Wasi({ files, environment: ENVIRONMENT, written });
    const imports = { wasi_snapshot_preview1: wasi.imports, host: { call: () => -1 } };
    const { exports } = await WebAssembly.instantiate(module, imports);
    wasi.memory = exports.memory;
    if (image) {
      const missing = image.length - exports.memory.buffer.byteLength;
      if (missing > 0) exports.memory.grow(missing / PAGE);
      new Uint8Array(exports.memory.buffer).set(image);
    }
    return new Python(exports, wasi);
  }
  constructor(exports, wasi) {
    this.exports = exports;
    this.wasi = wasi;
  }
  /** Bytes of its memory. */
  get size() { return this.exports.memory.buffer.byteLength; }
  /** Run code in `__main__`; the status is 0 unless it raised, and then what it says is on its standard error. */
  turn(code) {
    const bytes = new TextEncoder().encode(code);
    const at = this.exports.host_alloc(bytes.length) >>> 0;
    if (!at) throw new Error("Python has no memory left");
    this.wasi.bytes(at, bytes.length).set(bytes);
    return this.exports.turn(at, bytes.length);
  }
}
