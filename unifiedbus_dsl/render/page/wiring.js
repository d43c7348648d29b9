"use strict";
// What is joined to what, worked out from the rules of the plan when it is asked for. A port reference is
// [child, [subscripts], port, [subscripts]]; an axis [name, low, high, step]; an expression a number, the name of an
// axis, [op, left, right], ["not", e] or ["table", number, e].

const product = shape => shape.reduce((a, b) => a * b, 1);
const flat = (at, shape) => shape.reduce((total, size, k) => total * size + at[k], 0);
const unflat = (number, shape) => { const at = []; for (let k = shape.length - 1; k >= 0; k--) { at[k] = number % shape[k]; number = Math.floor(number / shape[k]); } return at; };
const LARGEST_RULE = 4e6, MOST_SEEN = 400000;

const OPS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b,
  "div": (a, b) => Math.floor(a / b), "mod": (a, b) => a - b * Math.floor(a / b),
  "==": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "and": (a, b) => a && b, "or": (a, b) => a || b,
};
/** An expression as a function of the values of the axes, which stand in an array in the order of `names`. */
function compiled(e, names) {
  if (typeof e === "number") return () => e;
  if (typeof e === "string") { const k = names.indexOf(e); return v => v[k]; }
  if (e[0] === "not") { const inner = compiled(e[1], names); return v => !inner(v); }
  if (e[0] === "table") { const table = data.tables[e[1]], inner = compiled(e[2], names); return v => table[inner(v)]; }
  const op = OPS[e[0]], left = compiled(e[1], names), right = compiled(e[2], names);
  return v => op(left(v), right(v));
}
/** Calls `visit` with the values of the axes at each point where the condition holds. */
function points(axes, where, visit) {
  const holds = where === null ? () => true : compiled(where, axes.map(a => a[0])), values = axes.map(a => a[1]);
  if (axes.some(a => a[1] > a[2])) return;
  for (;;) {
    if (holds(values)) visit(values);
    let k = axes.length - 1;
    for (; k >= 0; k--) { values[k] += axes[k][3]; if (values[k] <= axes[k][2]) break; values[k] = axes[k][1]; }
    if (k < 0) return;
  }
}
const childOf = (key, name) => data.types[key].children.find(c => c.name === name);
const portShape = (key, port) => data.types[key].portShapes[port];
/** A number for each port of a child array: element, then port. */
function portNumber(key, ref, names) {
  const child = childOf(key, ref[0]), shape = portShape(child.type, ref[2]), ports = product(shape);
  const at = ref[1].map(e => compiled(e, names)), portAt = ref[3].map(e => compiled(e, names));
  return v => flat(at.map(f => f(v)), child.shape) * ports + flat(portAt.map(f => f(v)), shape);
}
const tables = new Map();
/** Of each port of an array: what it is joined to, as [rule, side, number there, number of the cable among those of the rule]; made when first asked for. */
function joined(key, name, port) {
  const id = key + "\n" + name + "\n" + port;
  if (!tables.has(id)) {
    const found = new Map(); let whole = true;
    data.types[key].rules.forEach((rule, number) => {
      const sides = [rule.left, rule.right].map(r => r[0] === name && r[2] === port);
      if (!sides[0] && !sides[1]) return;
      if (product(rule.axes.map(a => Math.floor((a[2] - a[1]) / a[3]) + 1)) > LARGEST_RULE) { whole = false; return; }
      const names = rule.axes.map(a => a[0]), left = portNumber(key, rule.left, names), right = portNumber(key, rule.right, names);
      let point = 0;
      points(rule.axes, rule.where, v => { const a = left(v), b = right(v); if (sides[0]) found.set(a, [number, 1, b, point]); if (sides[1]) found.set(b, [number, 0, a, point]); point++; });
    });
    tables.set(id, { found, whole });
  }
  return tables.get(id);
}
/** The exported port that a port of a child array is: [export, subscripts]. */
function exported(key, name, port) {
  const id = key + "\nup\n" + name + "\n" + port;
  if (!tables.has(id)) {
    const found = new Map();
    for (const e of data.types[key].exports) {
      if (e.ref[0] !== name || e.ref[2] !== port) continue;
      const at = portNumber(key, e.ref, e.axes.map(a => a[0]));
      points(e.axes, null, v => found.set(at(v), [e.name, v.map((x, k) => (x - e.axes[k][1]) / e.axes[k][3])]));
    }
    tables.set(id, found);
  }
  return tables.get(id);
}
/** The port at the other end of the cable in a port of a device: { path, port, at, link, lanes } and
    the rule that says so, by type and number, `level` steps below the system; null where there is no
    cable, undefined where there are too many to look through. */
function peer(path, port, at) {
  let holder = path.slice(0, -1), step = path[path.length - 1], wanted = [port, at];
  for (;;) {
    const key = typeAt(holder), child = childOf(key, step.name), shape = portShape(child.type, wanted[0]);
    const number = flat(step.at, child.shape) * product(shape) + flat(wanted[1], shape);
    const table = joined(key, step.name, wanted[0]), hit = table.found.get(number);
    if (hit) return { ...descend(holder, key, hit[0], hit[1], hit[2]), point: hit[3], holder };
    if (!table.whole) return undefined;
    const up = exported(key, step.name, wanted[0]).get(number);
    if (!up || !holder.length) return null;
    wanted = up; step = holder[holder.length - 1]; holder = holder.slice(0, -1);
  }
}
const exportsOf = new Map();
/** An exported port of an assembly type, its subscripts as functions. */
function exportOf(type, port) {
  const id = type + "\n" + port;
  if (!exportsOf.has(id)) {
    const e = data.types[type].exports.find(x => x.name === port), names = e.axes.map(a => a[0]), [at, portAt] = [e.ref[1], e.ref[3]].map(all => all.map(x => compiled(x, names)));
    exportsOf.set(id, { axes: e.axes, name: e.ref[0], type: childOf(type, e.ref[0]).type, at, portAt, port: e.ref[2] });
  }
  return exportsOf.get(id);
}
function descend(holder, key, which, side, number) {
  const rule = data.types[key].rules[which];
  const ref = side ? rule.right : rule.left, child = childOf(key, ref[0]), shape = portShape(child.type, ref[2]), ports = product(shape);
  let path = [...holder, { name: ref[0], at: unflat(Math.floor(number / ports), child.shape) }], type = child.type, port = ref[2], at = unflat(number % ports, shape);
  while (data.types[type].children) {
    const e = exportOf(type, port), v = e.axes.map((a, k) => a[1] + at[k] * a[3]);
    path = [...path, { name: e.name, at: e.at.map(f => f(v)) }];
    at = e.portAt.map(f => f(v)); port = e.port; type = e.type;
  }
  return { path, port, at, link: rule.link, lanes: rule.lanes, key, rule: which, level: holder.length };
}

// ---- numbers of devices, and paths between them
function deviceNumber(path) {
  let key = data.root, number = 0;
  for (const step of path) for (const c of data.types[key].children) { if (c.name === step.name) { number += flat(step.at, c.shape) * data.types[c.type].devices; key = c.type; break; } number += product(c.shape) * data.types[c.type].devices; }
  return number;
}
function devicePath(number) {
  let key = data.root; const path = [];
  while (data.types[key].children) for (const c of data.types[key].children) { const size = data.types[c.type].devices, all = product(c.shape) * size; if (number < all) { path.push({ name: c.name, at: unflat(Math.floor(number / size), c.shape) }); number %= size; key = c.type; break; } number -= all; }
  return path;
}
/** The vertex of a device that a port leads into: its transit line, behind these one for each side of a line between two
    sides, or one past the last for ports in no line. */
function lineOf(type, port, at) {
  const t = data.types[type]; if (t.kind === "switch") return 0;
  let start = 0; for (const p of t.ports) { if (p[0] === port) break; start += product(p[2]); }
  const number = start + flat(at, portShape(type, port)), found = t.transit.findIndex(line => line.includes(number));
  const side = t.between.flat().findIndex(ports => ports.includes(number));
  return found >= 0 ? found : t.transit.length + (side < 0 ? 2 * t.between.length : side);
}
/** The vertex that what goes the other way passes: of a line between two sides the other one. */
function turned(type, line) {
  const t = data.types[type], side = line - (t.kind === "switch" ? 1 : t.transit.length);
  return line >= 0 && side >= 0 && side < 2 * (t.between || []).length ? line - side + (side ^ 1) : line;
}
const forwards = (number, line) => { const t = data.types[typeAt(devicePath(number))]; return t.kind === "switch" || line < t.transit.length + 2 * t.between.length; };
