// What the compiler is made of, loaded once and kept by the browser: Python, the memory of one that has started, files.

const CACHE = "ubusc-playground";
const WASM = "application/wasm";

/** The least that is needed of a browser: null, or what it lacks. */
export function missing() {
  // a module with a `try_table`, of exception handling as WebAssembly 3.0 has it
  const exceptions = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 31, 64, 0, 11, 11];
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(exceptions))) {
    return "WebAssembly with exception handling (Chrome and Edge from 137, Firefox from 131, Safari from 18.4)";
  }
  if (typeof DecompressionStream !== "function") return "DecompressionStream (Chrome from 80, Firefox from 113, Safari from 16.4)";
  return null;
}

/** The parts of the compiler; `progressed(loaded, all)` hears of bytes. */
export async function load(progressed) {
  const list = await (await fetched("runtime.json", "no-cache")).json();
  const all = list.reduce((sum, each) => sum + each.size, 0);
  let loaded = 0;
  const ending = new AbortController(); // of the other parts where one can't be loaded
  const count = (size) => { if (!ending.signal.aborted) progressed((loaded += size), all); };
  const parts = list.map(async ({ part, file, bytes }) => {
    const stream = (await kept(file, ending.signal)).body.pipeThrough(counting(count)).pipeThrough(new DecompressionStream("gzip"));
    if (part === "python") return WebAssembly.compileStreaming(new Response(stream, { headers: { "Content-Type": WASM } }));
    return filled(stream, bytes);
  });
  const [module, image, files] = await Promise.all(parts).catch((error) => {
    ending.abort();
    throw error;
  });
  forget(list.map(({ file }) => file));
  return { module, image, files };
}

async function fetched(file, cache = "default", signal = null) {
  let answer;
  try {
    answer = await fetch(file, { cache, signal });
  } catch (error) {
    throw new Error(`${file} can't be loaded: ${error.message}`);
  }
  if (!answer.ok) throw new Error(`${file} can't be loaded: the server says ${answer.status} ${answer.statusText}`);
  return answer;
}

/** A file by a name that says what is in it: from the browser's cache, else from the server and into the cache. */
async function kept(file, signal) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => null);
  const known = await cache?.match(file);
  if (known) return known;
  const answer = await fetched(file, "default", signal);
  cache?.put(file, answer.clone()).catch(() => {}); // a full disk keeps nobody from working
  return answer;
}

async function forget(files) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => null);
  for (const { url } of (await cache?.keys()) ?? []) {
    if (!files.some((file) => new URL(file, location.href).href === url)) await cache.delete(url);
  }
}

const counting = (count) => new TransformStream({ transform(chunk, out) { count(chunk.length); out.enqueue(chunk); } });

async function filled(stream, bytes) {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    whole.set(value, at);
    at += value.length;
  }
  if (at !== bytes) throw new Error(`a file holds ${at} bytes in place of ${bytes}: load the page again`);
  return whole;
}
