// A text as part of an address: compressed, in letters that an address may hold.

/** A text with its name and folder, as `packed` letters. */
export async function packed({ name, folder, text }) {
  const bytes = await through(new Blob([JSON.stringify([name, folder, text])]), new CompressionStream("deflate-raw"));
  let letters = "";
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text that `packed` has made letters of; throws where they are not its own. */
export async function unpackedText(letters) {
  const bytes = Uint8Array.from(atob(letters.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const json = new TextDecoder().decode(await through(new Blob([bytes]), new DecompressionStream("deflate-raw")));
  const [name, folder, text] = JSON.parse(json).map(String);
  if (!/^[\w.-]+\.ubus$/.test(name) || !/^[\w-]*$/.test(folder)) throw new Error("no name of a file");
  return { name, folder, text };
}

async function through(blob, transform) {
  return new Uint8Array(await new Response(blob.stream().pipeThrough(transform)).arrayBuffer());
}
