// The calls of WASI (preview 1) that a program makes, over files in memory. Nothing reaches further than this: there is
// no network, no clock but the browser's, no file but those that are given.

export const ERRNO = {
  SUCCESS: 0, BADF: 8, EXIST: 20, INVAL: 28, IO: 29, ISDIR: 31, NOENT: 44, NOTDIR: 54, NOTEMPTY: 55, NOTSUP: 58,
  ROFS: 69, SPIPE: 70,
};
const TYPE = { DEVICE: 2, FOLDER: 3, FILE: 4 };
const CREATE = 1, FOLDER_ONLY = 2, EXCLUSIVE = 4, TRUNCATE = 8, APPEND = 1;
const ALL_RIGHTS = 0x1fffffffn;

class WasiError extends Error {
  constructor(errno) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
const fail = (name) => { throw new WasiError(ERRNO[name]); };

export class ProgramExit extends Error {
  constructor(code) {
    super(`the program has ended with status ${code}`);
    this.code = code;
  }
}

let lastNumber = 1;
class File {
  constructor(bytes = new Uint8Array(0), writable = true) {
    this.number = lastNumber++;
    this.bytes = bytes;
    this.size = bytes.length;
    this.writable = writable;
  }
  resize(size) {
    if (!this.writable) fail("ROFS");
    if (size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    } else if (size < this.size) {
      this.bytes.fill(0, size, this.size);
    }
    this.size = size;
  }
}
class Folder {
  constructor() {
    this.number = lastNumber++;
    this.entries = new Map();
  }
}
const typeOf = (node) => (node instanceof Folder ? TYPE.FOLDER : TYPE.FILE);

/** The files that a program sees, by path from the root. */
export class Files {
  constructor() {
    this.root = new Folder();
  }
  /** Put a file at a path, with the folders that lead to it. */
  put(path, bytes, writable = false) {
    const { folder, name } = this.place(path, this.root, true);
    folder.entries.set(name, new File(bytes, writable));
  }
  folder(path) {
    const { folder, name } = this.place(path, this.root, true);
    if (name && !folder.entries.has(name)) folder.entries.set(name, new Folder());
  }
  remove(path) {
    const { folder, name } = this.place(path);
    folder.entries.delete(name);
  }
  /** The folder that holds a path, and the name in it; `..` never leads above the root. */
  place(path, from = this.root, create = false) {
    const parts = [];
    for (const part of path.split("/")) {
      if (part === "..") parts.pop();
      else if (part && part !== ".") parts.push(part);
    }
    const name = parts.pop() ?? "";
    let folder = from;
    for (const part of parts) {
      if (create && !folder.entries.has(part)) folder.entries.set(part, new Folder());
      folder = folder.entries.get(part) ?? fail("NOENT");
      if (!(folder instanceof Folder)) fail("NOTDIR");
    }
    return { folder, name };
  }
  find(path, from = this.root) {
    const { folder, name } = this.place(path, from);
    return name === "" ? folder : folder.entries.get(name) ?? fail("NOENT");
  }
}

/** The imports `wasi_snapshot_preview1`. `written(descriptor, bytes)` gets what the program writes to its terminal. */
export class Wasi {
  constructor({ files, environment = {}, written = () => {} }) {
    this.files = files;
    this.environment = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    this.written = written;
    this.memory = null;
    this.open = new Map([
      [0, { device: true }], [1, { device: true }], [2, { device: true }],
      [3, { node: files.root, name: "/", at: 0 }],
    ]);
    this.encoder = new TextEncoder();
    this.decoder = new TextDecoder();
    this.imports = {};
    for (const name of CALLS) {
      this.imports[name] = (...given) => {
        try {
          return this[name](...given) ?? ERRNO.SUCCESS;
        } catch (error) {
          if (error instanceof WasiError) return error.errno;
          throw error;
        }
      };
    }
    for (const name of REFUSED) this.imports[name] = () => ERRNO.NOTSUP;
  }

  // ---- memory
  get view() {
    if (this._view?.buffer !== this.memory.buffer) this._view = new DataView(this.memory.buffer);
    return this._view;
  }
  bytes(at, length) { return new Uint8Array(this.memory.buffer, at, length); }
  text(at, length) { return this.decoder.decode(this.bytes(at, length)); }
  put32(at, value) { this.view.setUint32(at, value, true); }
  put64(at, value) { this.view.setBigUint64(at, BigInt(value), true); }
  pieces(at, count) {
    return Array.from({ length: count }, (_, i) =>
      this.bytes(this.view.getUint32(at + 8 * i, true), this.view.getUint32(at + 8 * i + 4, true)));
  }

  // ---- what is said at the start
  args_sizes_get(count, size) { this.put32(count, 1); this.put32(size, 7); }
  args_get(list, at) { this.strings(["python"], list, at); }
  environ_sizes_get(count, size) {
    this.put32(count, this.environment.length);
    this.put32(size, this.environment.reduce((sum, each) => sum + this.encoder.encode(each).length + 1, 0));
  }
  environ_get(list, at) { this.strings(this.environment, list, at); }
  strings(texts, list, at) {
    for (const [i, text] of texts.entries()) {
      const bytes = this.encoder.encode(text + "\0");
      this.put32(list + 4 * i, at);
      this.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    }
  }

  // ---- time and chance
  clock_res_get(_clock, at) { this.put64(at, 1_000n); }
  clock_time_get(clock, _precision, at) { this.put64(at, this.now(clock)); }
  now(clock) {
    const milliseconds = clock === 0 ? Date.now() : performance.now();
    return BigInt(Math.round(milliseconds * 1e3)) * 1_000n;
  }
  random_get(at, length) {
    for (let done = 0; done < length; done += 65536) {
      crypto.getRandomValues(this.bytes(at + done, Math.min(65536, length - done)));
    }
  }
  sched_yield() {}
  poll_oneoff(wanted, events, count, filled) {
    let until = Infinity;
    for (let i = 0; i < count; i++) {
      const at = wanted + 48 * i;
      if (this.view.getUint8(at + 8) === 0) {
        const clock = this.view.getUint32(at + 16, true);
        const time = this.view.getBigUint64(at + 24, true);
        const absolute = this.view.getUint16(at + 40, true) & 1;
        const wait = Number(absolute ? time - this.now(clock) : time) / 1e6;
        until = Math.min(until, performance.now() + wait);
      } else {
        until = -Infinity;
      }
    }
    while (performance.now() < until); // a wait of the program, which has no threads: it is short
    for (let i = 0; i < count; i++) {
      const at = events + 32 * i;
      this.bytes(at, 32).fill(0);
      this.bytes(at, 8).set(this.bytes(wanted + 48 * i, 8));
      this.view.setUint8(at + 10, this.view.getUint8(wanted + 48 * i + 8));
    }
    this.put32(filled, count);
  }
  proc_exit(code) { throw new ProgramExit(code); }

  // ---- open files
  descriptor(number) { return this.open.get(number) ?? fail("BADF"); }
  file(number) {
    const held = this.descriptor(number);
    if (held.device) fail("SPIPE");
    if (held.node instanceof Folder) fail("ISDIR");
    return held;
  }
  folderOf(number) {
    const { node } = this.descriptor(number);
    return node instanceof Folder ? node : fail("NOTDIR");
  }
  fd_advise() {}
  fd_sync() {}
  fd_datasync() {}
  fd_close(number) {
    this.descriptor(number);
    this.open.delete(number);
  }
  fd_fdstat_get(number, at) {
    const held = this.descriptor(number);
    this.bytes(at, 24).fill(0);
    this.view.setUint8(at, held.device ? TYPE.DEVICE : typeOf(held.node));
    this.view.setUint16(at + 2, held.append ? APPEND : 0, true);
    this.put64(at + 8, ALL_RIGHTS);
    this.put64(at + 16, ALL_RIGHTS);
  }
  fd_fdstat_set_flags(number, flags) { this.descriptor(number).append = (flags & APPEND) !== 0; }
  fd_filestat_get(number, at) {
    const held = this.descriptor(number);
    if (held.device) this.stat(at, { number: 0, size: 0 }, TYPE.DEVICE);
    else this.stat(at, held.node, typeOf(held.node));
  }
  stat(at, node, type) {
    this.bytes(at, 64).fill(0);
    this.put64(at + 8, node.number);
    this.view.setUint8(at + 16, type);
    this.put64(at + 24, 1);
    this.put64(at + 32, node.size ?? 0);
  }
  fd_filestat_set_size(number, size) { this.file(number).node.resize(Number(size)); }
  fd_filestat_set_times() {}
  fd_prestat_get(number, at) {
    const { name } = this.descriptor(number);
    if (name === undefined) fail("BADF");
    this.put32(at, 0);
    this.put32(at + 4, name.length);
  }
  fd_prestat_dir_name(number, at, length) {
    this.bytes(at, length).set(this.encoder.encode(this.descriptor(number).name).subarray(0, length));
  }
  fd_read(number, list, count, done) {
    const held = this.descriptor(number);
    if (held.device) return this.put32(done, 0); // nothing is to be read from the terminal
    const { node } = this.file(number);
    const read = this.read(node, held.at, this.pieces(list, count));
    held.at += read;
    this.put32(done, read);
  }
  fd_pread(number, list, count, offset, done) {
    this.put32(done, this.read(this.file(number).node, Number(offset), this.pieces(list, count)));
  }
  read(node, at, pieces) {
    let read = 0;
    for (const piece of pieces) {
      const part = node.bytes.subarray(at + read, Math.min(node.size, at + read + piece.length));
      if (at + read >= node.size) break;
      piece.set(part);
      read += part.length;
    }
    return read;
  }
  fd_write(number, list, count, done) {
    const held = this.descriptor(number);
    const pieces = this.pieces(list, count);
    if (held.device) {
      for (const piece of pieces) this.written(number, piece.slice());
      return this.put32(done, pieces.reduce((sum, piece) => sum + piece.length, 0));
    }
    const { node } = this.file(number);
    if (held.append) held.at = node.size;
    const written = this.write(node, held.at, pieces);
    held.at += written;
    this.put32(done, written);
  }
  fd_pwrite(number, list, count, offset, done) {
    this.put32(done, this.write(this.file(number).node, Number(offset), this.pieces(list, count)));
  }
  write(node, at, pieces) {
    let written = 0;
    for (const piece of pieces) {
      const end = at + written + piece.length;
      node.resize(Math.max(node.size, end));
      node.bytes.set(piece, at + written);
      written += piece.length;
    }
    return written;
  }
  fd_seek(number, offset, whence, at) {
    const held = this.file(number);
    const place = [0, held.at, held.node.size][whence] + Number(offset);
    if (!(place >= 0)) fail("INVAL");
    held.at = place;
    this.put64(at, place);
  }
  fd_tell(number, at) { this.put64(at, this.file(number).at); }
  fd_readdir(number, at, length, cookie, used) {
    const entries = [...this.folderOf(number).entries].slice(Number(cookie));
    let place = 0;
    for (const [i, [name, node]] of entries.entries()) {
      const bytes = this.encoder.encode(name);
      const entry = new Uint8Array(24 + bytes.length);
      const view = new DataView(entry.buffer);
      view.setBigUint64(0, cookie + BigInt(i + 1), true);
      view.setBigUint64(8, BigInt(node.number), true);
      view.setUint32(16, bytes.length, true);
      view.setUint8(20, typeOf(node));
      entry.set(bytes, 24);
      const part = entry.subarray(0, length - place);
      this.bytes(at + place, part.length).set(part);
      place += part.length;
      if (place === length) break;
    }
    this.put32(used, place);
  }

  // ---- paths
  path_open(number, _lookup, at, length, how, _rights, _inherited, flags, opened) {
    const path = this.text(at, length);
    const { folder, name } = this.files.place(path, this.folderOf(number));
    let node = name === "" ? folder : folder.entries.get(name);
    if (node && how & EXCLUSIVE) fail("EXIST");
    if (!node) {
      if (!(how & CREATE)) fail("NOENT");
      node = new File();
      folder.entries.set(name, node);
    }
    if (how & FOLDER_ONLY && !(node instanceof Folder)) fail("NOTDIR");
    if (how & TRUNCATE && node instanceof File) node.resize(0);
    let free = 4;
    while (this.open.has(free)) free++;
    this.open.set(free, { node, at: 0, append: (flags & APPEND) !== 0 });
    this.put32(opened, free);
  }
  path_filestat_get(number, _flags, at, length, into) {
    const node = this.files.find(this.text(at, length), this.folderOf(number));
    this.stat(into, node, typeOf(node));
  }
  path_filestat_set_times() {}
  path_create_directory(number, at, length) {
    const { folder, name } = this.files.place(this.text(at, length), this.folderOf(number));
    if (folder.entries.has(name)) fail("EXIST");
    folder.entries.set(name, new Folder());
  }
  path_remove_directory(number, at, length) {
    const { folder, name } = this.files.place(this.text(at, length), this.folderOf(number));
    const node = folder.entries.get(name) ?? fail("NOENT");
    if (!(node instanceof Folder)) fail("NOTDIR");
    if (node.entries.size) fail("NOTEMPTY");
    folder.entries.delete(name);
  }
  path_unlink_file(number, at, length) {
    const { folder, name } = this.files.place(this.text(at, length), this.folderOf(number));
    const node = folder.entries.get(name) ?? fail("NOENT");
    if (node instanceof Folder) fail("ISDIR");
    folder.entries.delete(name);
  }
  path_rename(number, at, length, target, into, long) {
    const from = this.files.place(this.text(at, length), this.folderOf(number));
    const to = this.files.place(this.text(into, long), this.folderOf(target));
    const node = from.folder.entries.get(from.name) ?? fail("NOENT");
    from.folder.entries.delete(from.name);
    to.folder.entries.set(to.name, node);
  }
  path_readlink(number, at, length) {
    this.files.find(this.text(at, length), this.folderOf(number));
    fail("INVAL"); // there are no links
  }
}

const CALLS = Object.getOwnPropertyNames(Wasi.prototype).filter((name) => /^[a-z]+_[a-z_]+$/.test(name));
const REFUSED = ["path_link", "path_symlink", "sock_accept", "sock_recv", "sock_send", "sock_shutdown"];
