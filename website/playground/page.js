// The page: an editor, what is wrong with its text, the picture of its machine, answers.

import { colourer, painted, terminal } from "./colours.js";
import { load, missing } from "./runtime.js";
import { recalled, remember } from "./memory.js";
import { packed, unpackedText } from "./share.js";

const PAUSE = 250; // milliseconds without a key after which a text is checked
const PATIENCE = 1500; // milliseconds that a newer text waits for an older one
const COLOURED = 200_000; // characters of a text that is coloured
const LARGE = 1 << 30; // bytes of memory after which Python starts anew

const $ = (id) => document.getElementById(id);
const times = (document.playground = { events: [] }); // when what has come: for those who measure
const happened = (what) => times.events.push([what, performance.now()]);

let colour = () => [];
let marks = [];
let current = { name: "machine.ubus", folder: "", text: "" };
let parts, worker, ready = false;
let running = null; // what the worker does: the text, or its answers
let waiting = false;

// ---- what is seen

function say(text, wrong = false) {
  $("state").textContent = text;
  $("state").classList.toggle("wrong", wrong);
}

function paint() {
  const large = current.text.length > COLOURED;
  $("editor").classList.toggle("plain", large);
  $("coloured").replaceChildren(large ? "" : painted(current.text, colour, marks));
  follow();
}

function follow() {
  $("coloured").scrollTop = $("text").scrollTop;
  $("coloured").scrollLeft = $("text").scrollLeft;
}

function figure(system, svg) {
  const made = document.createElement("figure"), words = document.createElement("figcaption");
  words.textContent = `system ${system}`;
  made.append(words, document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true));
  return made;
}

let build = ""; // the compiler that the page has, by what is in it
let drawn = [];
let told = []; // what has come of the text that the worker is busy with
const heard = {
  started() { ready = true; happened("started"); next(); },
  checked({ findings, wrong, marks: found, systems }) {
    happened("checked");
    marks = found;
    drawn = [];
    paint();
    $("findings").replaceChildren(terminal(findings));
    $("pictures").classList.toggle("old", systems.length === 0);
    $("answers").replaceChildren();
    if (!systems.length && !wrong) $("pictures").replaceChildren();
    say(wrong ? "There are errors." : systems.length ? "No errors." : "No errors. The text has no system, so nothing is drawn.", wrong);
  },
  picture({ system, svg }) {
    drawn.push(figure(system, svg));
    $("pictures").replaceChildren(...drawn);
    happened("picture");
  },
  answer({ text }) { $("answers").append(text); happened("answer"); },
  answered({ findings }) { $("answers").append(terminal(findings)); happened("answered"); },
  refused({ text }) {
    say("The page has no more memory.", true);
    $("answers").append(text);
  },
  failed({ text, fatal }) {
    say("The compiler has failed: this is a mistake of its own. What it says stands below.", true);
    $("findings").textContent = text;
    happened("failed");
    if (fatal) renew();
  },
  done({ size }) {
    const was = running;
    running = null;
    if (was === "text" && !waiting) remember(build, current, told);
    if (waiting) next();
    else if (was === "text") ask("answers");
    else if (size > LARGE) renew();
  },
};

// ---- the worker

function renew() {
  worker?.terminate();
  ready = false;
  running = null;
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    if (running === "text") told.push(data);
    heard[data.kind](data);
  };
  worker.onerror = (event) => say(`The compiler can't be started: ${event.message}`, true);
  worker.postMessage(parts);
}

function ask(what) {
  running = what;
  told = [];
  if (what === "text") waiting = false;
  worker.postMessage({ ...current, what });
}

function next() {
  if (!parts || !ready || running === "text") return;
  if (running === "answers") renew(); // those of an older text; it goes on once Python has started
  else ask("text");
}

let pause, patience;
function edited() {
  current.text = $("text").value;
  waiting = true;
  clearTimeout(pause);
  clearTimeout(patience);
  pause = setTimeout(() => {
    happened("asked");
    next();
    patience = setTimeout(() => { if (waiting && parts && ready) renew(); }, PATIENCE);
  }, PAUSE);
  marks = [];
  paint();
}

// ---- examples, and links

function show({ name, folder, text }) {
  current = { name, folder, text };
  $("text").value = text;
  $("text").scrollTop = 0;
  waiting = true;
  marks = [];
  paint();
  happened("asked");
  if (!ready) recall();
  next();
}

/** Show what this very compiler has made of this very text before, until it has looked at it again. */
async function recall() {
  const text = current;
  const events = await recalled(build, text);
  if (text === current && running === null) for (const event of events) heard[event.kind](event);
}

async function fromAddress(examples) {
  const said = new URLSearchParams(location.hash.slice(1));
  const example = examples.find(({ id }) => id === said.get("example"));
  if (said.has("text")) {
    try {
      return await unpackedText(said.get("text"));
    } catch {
      say("The link holds no text: it may have been cut.", true);
    }
  } else if (said.has("example") && !example) {
    say(`There is no example “${said.get("example")}”.`, true);
  }
  return example ?? examples[0];
}

async function share() {
  const link = new URL(location.href);
  link.hash = `text=${await packed(current)}`;
  history.replaceState(null, "", link);
  try {
    await navigator.clipboard.writeText(link.href);
    say("The link is copied. It holds the text itself.");
  } catch {
    say("The link stands in the address bar. It holds the text itself.");
  }
}

// ---- the start

async function start() {
  const { colours, examples, compiler: made } = await (await fetch("examples.json", { cache: "no-cache" })).json();
  colour = colourer(colours);
  build = made;
  const groups = Map.groupBy ? Map.groupBy(examples, ({ folder }) => folder) : new Map([["", examples]]);
  for (const [folder, held] of groups) {
    const group = document.createElement("optgroup");
    group.label = folder;
    group.append(...held.map(({ id, title }) => new Option(title, id)));
    $("examples").append(group);
  }
  const choose = async () => {
    const chosen = await fromAddress(examples);
    $("examples").value = chosen.id ?? "";
    show(chosen);
  };
  $("examples").onchange = () => { location.hash = `example=${$("examples").value}`; };
  addEventListener("hashchange", choose);
  $("text").oninput = edited;
  $("text").onscroll = follow;
  $("share").onclick = share;
  $("again").onclick = compiler;
  await choose();
  await compiler();
}

async function compiler() {
  $("again").hidden = true;
  const lacking = missing();
  if (lacking) return say(`The compiler can't run in this browser. It lacks ${lacking}.`, true);
  $("progress").hidden = false;
  try {
    parts = await load((loaded, all) => {
      $("progress").value = loaded / all;
      say(`Loading the compiler: ${Math.round(loaded / 1e6)} of ${Math.round(all / 1e6)} MB, once.`);
    });
    happened("loaded");
    say("Starting the compiler.");
    renew();
  } catch (error) {
    say(`The compiler can't be loaded. ${error.message}`, true);
    $("again").hidden = false;
  }
  $("progress").hidden = true;
}

start().catch((error) => say(`The page can't be shown. ${error.message}`, true));
