// The thread that Python lives in. A message is what it starts from, or a request; each event is a message back.

import { Files, Python, unpacked } from "./python.js";

const decoder = new TextDecoder();
let python, line = "", failure = "";

async function start({ module, image, files }) {
  const tree = new Files();
  for (const [path, bytes] of unpacked(files)) tree.put(path, bytes);
  python = await Python.start(module, tree, { image, written });
  postMessage({ kind: "started" });
}

function written(descriptor, bytes) {
  const text = decoder.decode(bytes, { stream: true });
  if (descriptor !== 1) {
    failure += text;
    return;
  }
  const lines = (line + text).split("\n");
  line = lines.pop();
  for (const each of lines) postMessage(JSON.parse(each));
}

function run(request) {
  failure = "";
  // JSON of plain signs alone, as a text of JSON, which is one of Python too
  const plain = JSON.stringify(request).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const status = python.turn(`session.serve(${JSON.stringify(plain)})`);
  if (status !== 0) postMessage({ kind: "failed", text: failure });
  postMessage({ kind: "done", size: python.size });
}

let last = Promise.resolve();
onmessage = ({ data }) => {
  last = last.then(() => (data.module ? start(data) : run(data))).catch((error) => postMessage({ kind: "failed", text: `${failure}${error}\n`, fatal: true }));
};
