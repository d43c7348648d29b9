// What the compiler has made of the last texts: so that a page that is opened again shows its picture at once.

const CACHE = "ubusc-playground-texts";
const MOST = 20;
const KEPT = ["checked", "picture"];

async function store() {
  return globalThis.caches?.open(CACHE).catch(() => null);
}

async function address(build, { name, folder, text }) {
  const bytes = new TextEncoder().encode(JSON.stringify([build, name, folder, text]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `texts/${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Keep the events of a text; those of the oldest texts go. */
export async function remember(build, text, events) {
  const cache = await store();
  if (!cache || events.some(({ kind }) => kind === "failed")) return;
  const held = JSON.stringify(events.filter(({ kind }) => KEPT.includes(kind)));
  await cache.put(await address(build, text), new Response(held)).catch(() => {}); // a full disk keeps nobody from working
  for (const old of (await cache.keys()).slice(0, -MOST)) await cache.delete(old);
}

/** The events of a text; none where it is not known, or another compiler has looked at it. */
export async function recalled(build, text) {
  const known = await (await store())?.match(await address(build, text));
  return known ? known.json() : [];
}
