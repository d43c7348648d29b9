// The machine as its text says it: types, and paths such as cabinet[17].npu[2, 5]. A path is a list of { name, at }.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const node = (tag, text, attributes = {}) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; for (const k in attributes) e.setAttribute(k, attributes[k]); return e; };
const number = n => n.toLocaleString("en-US");

function typeAt(path) {
  let key = data.root;
  for (const step of path) { const child = data.types[key].children?.find(c => c.name === step.name); if (!child) return null; key = child.type; }
  return key;
}
const typeOfPath = path => data.types[typeAt(path)];
/** An array whose elements differ in type is several children; `called` is what the text calls them. */
function called(child) { return child.called ?? child.name; }
/** Labels of an element: where some are left out, the sizes and the labels that are there, for each dimension. */
function labelled(child, at) { return child.labels ? at.flatMap((v, k) => unflat(child.labels[k][1][v], child.labels[k][0])) : at; }
function stepText(step, key) { const child = childOf(key, step.name), at = labelled(child, step.at); return called(child) + (at.length ? "[" + at.join(", ") + "]" : ""); }
function pathText(path, key = data.root) { return path.map(step => { const text = stepText(step, key); key = childOf(key, step.name).type; return text; }).join("."); }
const groupsOf = child => child.labels ?? child.shape.map(size => [[size], null]);
/** The places of labels, the first where one is `*`; null where no such element is there. */
function placed(child, labels) {
  const groups = groupsOf(child), at = [];
  if (labels.length !== groups.reduce((all, [sizes]) => all + sizes.length, 0)) return null;
  for (const [sizes, there] of groups) {
    const own = labels.splice(0, sizes.length);
    if (own.includes("*")) { at.push(0); continue; }
    if (own.some((v, k) => !/^\d+$/.test(v) || +v >= sizes[k])) return null;
    const label = flat(own.map(Number), sizes), place = there ? there.indexOf(label) : label;
    if (place < 0) return null;
    at.push(place);
  }
  return at;
}
const STEP = /^([A-Za-z_]\w*)(?:\[([\d,\s*.]+)\])?$/;
/** As much of a path as is there, and whether that is all of it. */
function readPath(text) {
  const path = []; let key = data.root;
  for (const part of text.trim() ? text.trim().split(/\.(?![.\d])/) : []) {
    const m = STEP.exec(part.trim()); if (!m) return { path, whole: false };
    const several = (data.types[key].children ?? []).filter(c => called(c) === m[1]);
    const where = c => m[2] ? placed(c, m[2].split(",").map(t => t.trim())) : c.shape.map(() => 0);
    const child = several.find(where); if (!child) return { path, whole: false };
    path.push({ name: child.name, at: where(child) }); key = child.type;
  }
  return { path, whole: true };
}
function parsePath(text) { const found = readPath(text); return found.whole ? found.path : null; }
/** The assembly that a picture of a path is of: a device is seen in what holds it. */
const holderOf = path => typeOfPath(path).children ? path : path.slice(0, -1);

// ---- what a mark of a picture stands for: its title is `cabinet[1..126] : Cabinet` or `4 × Wire: a[0] -- b[*]`
/** A path with ranges as a list of steps, each [name, [[low, high] or null for all, …]]. */
function pattern(text) {
  return text.split(/\.(?=[A-Za-z_])/).map(part => {
    const open = part.indexOf("["), name = open < 0 ? part : part.slice(0, open);
    const spans = open < 0 ? [] : part.slice(open + 1, -1).split(",").map(t => {
      const m = /^\s*(\d+)(?:\.\.(\d+))?\s*$/.exec(t); return m && +(m[2] ?? m[1]) >= +m[1] ? [+m[1], +(m[2] ?? m[1])] : null; });
    return [name, spans];
  });
}
/** Whether one pattern is the other, or holds it, or is held by it, or shares elements with it. */
function meets(a, b) {
  const steps = Math.min(a.length, b.length);
  for (let i = 0; i < steps; i++) {
    if (a[i][0] !== b[i][0]) return false;
    const n = Math.min(a[i][1].length, b[i][1].length);
    for (let k = 0; k < n; k++) { const p = a[i][1][k], q = b[i][1][k]; if (p && q && (p[1] < q[0] || q[1] < p[0])) return false; }
  }
  return true;
}
/** The first element that a name with ranges stands for. */
const firstOf = name => name.replace(/(\d+)\.\.\d+/g, "$1");
const LINE_TITLE = /^([\d,]+) × ([^:]+): (.+?) -- (.+?)(, lost)?$/;
const PART_TITLE = /^(?:spare )?([A-Za-z_]\w*(?:\[[^\]]*\])?(?:\.[A-Za-z_]\w*(?:\[[^\]]*\])?)*) : (.+)$/;
function titleOf(group) { return (group.querySelector("title")?.textContent ?? "").split("\n")[0]; }
function nameOf(group) { return titleOf(group).split(" : ")[0].replace(/^spare /, ""); }

// ---- search: any part of a name
const MOST_FOUND = 60;
const labelsThere = child => groupsOf(child).flatMap(([sizes]) => sizes);
/** Elements of a child that a list of labels may mean, each null for any; null where there is none. */
function mayMean(child, wanted) {
  const sizes = labelsThere(child);
  if (wanted.length > sizes.length) return null;
  const labels = sizes.map((_, k) => k < wanted.length && wanted[k] !== "" && wanted[k] !== "*" ? wanted[k] : "*");
  return placed(child, [...labels]) ? labels : null;
}
/** How well a name fits a child array: 0 is it, 1 is a part of its name, 2 of its type or kind; -1 not at all. */
function fit1(child, name, whole) {
  const own = called(child).toLowerCase();
  if (own === name) return 0;
  if (own.includes(name)) return 1;
  return whole && [child.type, data.types[child.type].kind].some(word => word.toLowerCase().includes(name)) ? 2 : -1;
}
const rangeText = child => child.text ?? (child.shape.length ? "[" + child.shape.map(s => "0.." + (s - 1)).join(", ") + "]" : "");
/** What a text finds: { count, names: [[text, path]] }. Steps of the text are any that follow each other in a path; an
    array is one answer where no index is said, its elements are where one is. */
function search(text) {
  const want = text.trim().toLowerCase(), found = []; let count = 0;
  if (!want) return { count, names: [] };
  const steps = want.split(".").map(part => /^([^[\]]*)(?:\[([^\]]*)\]?)?$/.exec(part.trim()));
  const exact = parsePath(text); if (exact?.length) { found.push([-1, pathText(exact), exact]); count++; }
  if (!steps.includes(null)) (function visit(key, chain) {
    for (const c of data.types[key].children ?? []) {
      const own = [...chain, c], last = own.slice(-steps.length), ranks = last.map((child, i) => fit1(child, steps[i]?.[1].trim() ?? "", steps.length === 1));
      if (own.length >= steps.length && ranks.every(r => r >= 0)) answer(own, Math.max(...ranks));
      visit(c.type, own);
    }
  })(data.root, []);
  function answer(chain, rank) {
    const said = steps.map(m => m[2] === undefined ? null : m[2].split(",").map(t => t.trim())), first = chain.length - steps.length;
    if (!said.some(Boolean)) {
      const path = chain.map(c => ({ name: c.name, at: c.shape.map(() => 0) })), name = chain.map(c => called(c) + rangeText(c)).join(".");
      count++; if (!exact || pathText(path) !== pathText(exact)) found.push([rank, name, path]); else count--;
      return;
    }
    const labels = chain.map((c, i) => said[i - first] ? mayMean(c, said[i - first]) : labelsThere(c).map(() => "*")); if (labels.includes(null)) return;
    const made = spelled(chain, labels, MOST_FOUND).filter(([name]) => !exact || name !== pathText(exact));
    count += chain.reduce((all, c, i) => all * labels[i].reduce((n, l, k) => n * (l === "*" ? labelsThere(c)[k] : 1), 1), 1) - (exact ? 1 : 0);
    found.push(...made.map(([name, path]) => [rank, name, path]));
  }
  const names = found.sort((a, b) => a[0] - b[0]).slice(0, MOST_FOUND).map(([, name, path]) => [name, path]);
  return { count: Math.max(count, names.length), names };
}
/** The first elements that labels with `*` stand for, by the last step first where that is free. */
function spelled(chain, labels, most) {
  const made = [];
  (function go(i, text) {
    if (made.length >= most) return;
    if (i === chain.length) { const path = parsePath(text); if (path) made.push([text, path]); return; }
    const sizes = labelsThere(chain[i]);
    (function label(k, own) {
      if (made.length >= most) return;
      if (k === sizes.length) { go(i + 1, (text ? text + "." : "") + called(chain[i]) + (own.length ? "[" + own.join(", ") + "]" : "")); return; }
      if (labels[i][k] !== "*") { label(k + 1, [...own, labels[i][k]]); return; }
      for (let v = 0; v < sizes[k] && made.length < most; v++) label(k + 1, [...own, v]);
    })(0, []);
  })(0, "");
  return made;
}
