// One Python, compiled to WebAssembly, that lives from one request to the next.

import { Files, ProgramExit, Wasi } from "./wasi.js";

export { Files, ProgramExit };

/** A Python that has started. `turn(code)` runs code in `__main__`; what it prints goes to `written`. */
export class Python {
  static async start(module, files, { written = () => {}, environment = {} } = {}) {
    const wasi = new Wasi({ files, environment, written });
    const host = { call: () => -1 };
    const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.imports, host });
    wasi.memory = exports.memory;
    exports._initialize?.();
    return new Python(exports, wasi);
  }
  constructor(exports, wasi) {
    this.exports = exports;
    this.wasi = wasi;
  }
  /** Run code; the status is 0 unless it raised. */
  turn(code) {
    const bytes = new TextEncoder().encode(code);
    const at = this.exports.host_alloc(bytes.length) >>> 0;
    if (!at) throw new Error("Python has no memory left");
    this.wasi.bytes(at, bytes.length).set(bytes);
    return this.exports.turn(at, bytes.length);
  }
}
