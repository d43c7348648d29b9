// Cables and paths in figures: rate, length, latency, load; all paths of fewest cables between two devices.

const ns = seconds => seconds * 1e9;
const MOST_PORTS = 2048;
/** Ports of a part, those that an assembly puts out too: [name, subscripts]. */
function* portsOf(path) {
  const type = typeOfPath(path);
  for (const [port, shape] of type.children ? type.exports.map(e => [e.name, portShape(typeAt(path), e.name)]) : type.ports.map(p => [p[0], p[2]]))
    for (let k = 0; k < product(shape); k++) yield [port, unflat(k, shape)];
}
const portText = (port, at) => port + (at.length ? "[" + at.join(", ") + "]" : "");
/** What the ports of a part are joined to, as [name of the port, end], at most `most` and one more. */
function ends(path, most = MOST_PORTS) {
  const found = [];
  for (const [port, at] of portsOf(path)) { if (found.length > most) break; found.push([portText(port, at), peer(path, port, at)]); }
  return found;
}
function endText(end) { return end === undefined ? "among too many cables to look through" : end === null ? "free" : pathText(end.path) + "." + portText(end.port, end.at); }

// ---- floor places: micrometres in the frame of the assembly that a rule stands in; `id` is the nearest placed element
function standing(key, steps) {
  if (!steps.length) return { x: 0, y: 0, id: "" };
  const child = childOf(key, steps[0].name), inner = standing(child.type, steps.slice(1)), own = data.types[key].places?.[child.name];
  const element = flat(steps[0].at, child.shape), here = child.name + "[" + element + "]";
  if (own) return { x: own[0][element] + inner.x, y: own[1][element] + inner.y, id: inner.id ? here + inner.id : here };
  return (product(child.shape) > 1 || child.called) ? { x: 0, y: 0, id: "" } : { ...inner, id: inner.id && here + inner.id };
}
/** The length of a cable in millimetres, null where none is known. `level` is how long the path of its rule's assembly is. */
function millimetres(rule, level, one, other) {
  if (rule.length !== null) return rule.length;
  const key = typeAt(one.slice(0, level)), a = standing(key, one.slice(level)), b = standing(key, other.slice(level));
  if (!a.id || !b.id || a.id === b.id) return null;
  return Math.floor((Math.abs(a.x - b.x) + Math.abs(a.y - b.y) + data.links[rule.link].slack + 500) / 1000);
}
/** The figures of a cable that leads from a device to an end, as `peer` gives it. */
function cableOf(from, end) {
  const rule = data.types[end.key].rules[end.rule], link = data.links[rule.link], length = millimetres(rule, end.level, from, end.path);
  return { link: rule.link, lanes: rule.lanes, medium: link.medium, rate: link.laneRate * rule.lanes, length, latency: link.fixed + link.delay * (length ?? 0) / 1000, key: end.key, rule: end.rule, end };
}
const short = (value, digits = 4) => String(+value.toPrecision(digits));
const rateText = rate => rate >= 1e12 ? short(rate / 1e12) + " TB/s" : rate >= 1e9 ? short(rate / 1e9) + " GB/s" : short(rate / 1e6) + " MB/s";
const lengthText = length => length === null ? "length unknown" : short(length / 1000) + " m";
const timeText = seconds => short(ns(seconds)) + " ns";
const percent = share => short(share * 100, 3) + " %";
/** The number of a cable in the order of the fabric: those of the children of an assembly, then those of its rules. */
function cableNumber(end) {
  let number = end.point, key = data.root;
  for (const step of end.holder) for (const c of data.types[key].children) {
    const inside = data.types[c.type].cables;
    if (c.name === step.name) { number += flat(step.at, c.shape) * inside; key = c.type; break; }
    number += product(c.shape) * inside;
  }
  for (const c of data.types[key].children) number += product(c.shape) * data.types[c.type].cables;
  for (let k = 0; k < end.rule; k++) number += data.types[key].rules[k].size;
  return number;
}
/** The load of one cable; loads are runs [load, cables] in the order of the fabric. */
function loadOf(runs, number) {
  runs.ends ??= runs.map((sum => run => sum += run[1])(0));
  let low = 0, high = runs.length - 1; while (low < high) { const middle = (low + high) >> 1; if (runs.ends[middle] > number) high = middle; else low = middle + 1; }
  return runs[low][0];
}
/** Load of a cable under the chosen traffic and scenario, in its busier direction; where the page does not hold each, the
    least and the most of the cables of its rule over the whole machine. */
function loadText(cable) {
  const loads = data.loads[state.traffic]?.[state.scenario], found = loads?.rules[cable.key]?.[cable.rule];
  if (!found) return "";
  if (loads.runs && cable.end) return "load " + percent(loadOf(loads.runs, cableNumber(cable.end)));
  return found[0] === found[1] ? "load " + percent(found[1]) : "load " + percent(found[0]) + " to " + percent(found[1]);
}
const mediumText = medium => data.media[medium]?.[0] ?? (medium || "not said");
const unknownTime = link => data.links[link].unknown.includes("latency");
const unknownRate = link => data.links[link].unknown.includes("rate");
function cableText(cable) {
  return [cable.link + " x" + cable.lanes + (cable.medium ? " (" + mediumText(cable.medium) + ")" : ""), unknownRate(cable.link) ? "rate unknown" : rateText(cable.rate), lengthText(cable.length),
    unknownTime(cable.link) ? "latency unknown" : timeText(cable.latency), loadText(cable)].filter(Boolean).join(" · ");
}

// ---- paths
/** The neighbours of a vertex [device, line] with the ports between; all ports of the device where `line` is -1. */
function steps(number, line) {
  const path = devicePath(number), type = typeAt(path), found = [];
  for (const [port, at] of portsOf(path)) {
    if (line >= 0 && turned(type, lineOf(type, port, at)) !== line) continue;
    const end = peer(path, port, at); if (end) found.push({ device: deviceNumber(end.path), line: lineOf(typeAt(end.path), end.port, end.at), port: portText(port, at), name: port, at, end });
  }
  return found;
}
const vertex = (device, line) => device + "|" + line;
const turnedAt = (device, line) => turned(typeAt(devicePath(device)), line);
/** All paths of fewest cables between two devices: { hops, count, least, most, path(i) }, times at no load in seconds.
    `hops` is -1 where there is none; null where too many devices had to be looked at. */
function allRoutes(from, to) {
  if (from === to) return { hops: 0, count: 1, least: 0, most: 0, path: () => [{ device: from }] };
  const sides = [from, to].map(device => ({ device, depth: 0, seen: new Map([[vertex(device, -1), 0]]), edge: [[device, -1]], onward: new Map() }));
  const meeting = () => { // vertices of the first side's edge that the second has seen, or its device
    const found = new Set();
    for (const [d, l] of sides[0].edge) if (d === to || (l >= 0 && forwards(d, l) && sides[1].seen.has(vertex(d, turnedAt(d, l))))) found.add(vertex(d, l));
    if (!found.size) for (const [d, l] of sides[1].edge) if (d === from || (l >= 0 && forwards(d, l) && sides[0].seen.has(vertex(d, turnedAt(d, l))))) found.add(vertex(d, d === from ? -1 : turnedAt(d, l)));
    return found;
  };
  for (;;) {
    const here = sides[0].edge.length <= sides[1].edge.length ? sides[0] : sides[1], next = [];
    if (!here.edge.length) return { hops: -1, count: 0 };
    here.depth++;
    for (const [device, line] of here.edge) {
      if (line >= 0 && !forwards(device, line)) continue;
      for (const s of steps(device, line)) {
        if (s.device === here.device) continue;
        const id = vertex(s.device, s.line);
        if (!here.seen.has(id)) { here.seen.set(id, here.depth); here.onward.set(id, []); next.push([s.device, s.line]); }
        if (here === sides[1] && here.seen.get(id) === here.depth) here.onward.get(id)?.push([device, line, s]);
      }
    }
    here.edge = next;
    if (sides[0].seen.size + sides[1].seen.size > MOST_SEEN) return null;
    if (meeting().size) return ranked(from, to, sides[0], sides[1]);
  }
}
/** The paths between two searches that have met, told apart by a number. */
function ranked(from, to, one, other) {
  const hops = one.depth + other.depth, known = new Map();
  const left = (d, l, depth) => { // cables left from a vertex to the end, within what is left: from the second search
    if (d === to) return depth === hops;
    if (depth >= hops || (l >= 0 && !forwards(d, l))) return false;
    if (depth < one.depth) return true;
    return other.seen.get(vertex(d, d === from ? -1 : turnedAt(d, l))) === hops - depth;
  };
  /** The steps that the second search took to a vertex, the other way. */
  const taken = (d, l) => (other.onward.get(vertex(d, turnedAt(d, l))) ?? []).map(([device, line, s]) => ({ device, line: line < 0 ? -1 : turnedAt(device, line), port: portText(s.end.port, s.end.at), end: { ...s.end, path: devicePath(device), port: s.name, at: s.at } }));
  function onward(d, l, depth) { // { count, least, most, ways } from a vertex that is `depth` cables from the start
    const id = vertex(d, l) + "|" + depth;
    if (known.has(id)) return known.get(id);
    if (d === to) return { count: depth === hops ? 1 : 0, least: 0, most: 0, ways: [] };
    const found = { count: 0, least: Infinity, most: 0, ways: [] }; known.set(id, found);
    const here = devicePath(d), first = depth === 0;
    for (const s of depth >= one.depth && d !== from ? taken(d, l) : steps(d, l)) {
      if (s.device === from || !left(s.device, s.line, depth + 1)) continue;
      if (depth + 1 < one.depth && one.seen.get(vertex(s.device, s.line)) !== depth + 1) continue;
      const rest = onward(s.device, s.line, depth + 1); if (!rest.count) continue;
      const cable = cableOf(here, s.end), time = cable.latency + (first ? 0 : typeOfPath(here).passing);
      found.count += rest.count; found.least = Math.min(found.least, time + rest.least); found.most = Math.max(found.most, time + rest.most);
      found.ways.push({ s, cable, rest });
    }
    return found;
  }
  const all = onward(from, -1, 0);
  function path(i) {
    const walk = [{ device: from }]; let at = all;
    while (at.ways.length) for (const way of at.ways) {
      if (i < way.rest.count) { walk[walk.length - 1].cable = way.cable; walk[walk.length - 1].out = way.s.port; walk.push({ device: way.s.device, in: portText(way.s.end.port, way.s.end.at) }); at = way.rest; break; }
      i -= way.rest.count;
    }
    return walk;
  }
  return all.count ? { hops, count: all.count, least: all.least, most: all.most, path } : { hops: -1, count: 0 };
}
let lastRoutes = ["", null];
/** The same between two paths; the last answer is kept. */
function between(a, b) {
  const ends = [deviceNumber(a), deviceNumber(b)], id = ends.join();
  if (lastRoutes[0] !== id) lastRoutes = [id, allRoutes(...ends)];
  return lastRoutes[1];
}
const walkTime = walk => walk.reduce((all, stop, i) => all + (stop.cable ? stop.cable.latency : 0) + (i > 0 && i < walk.length - 1 ? typeOfPath(devicePath(stop.device)).passing : 0), 0);
/** A shortest path as device numbers; [] where there is none, null where too many devices had to be looked at. */
function route(from, to) { const found = allRoutes(from, to); return found && (found.hops < 0 ? [] : found.path(0).map(stop => stop.device)); }
