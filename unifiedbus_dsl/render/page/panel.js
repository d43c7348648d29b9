// The panel: what is known of what was chosen: a part, a cable, a path, every element of an array.

const facts = $("facts"), MOST_LISTED = 72, MOST_PARTS = 120;
const button = (text, act, attributes = {}) => { const b = node("button", text, { type: "button", ...attributes }); b.onclick = act; return b; };
function rows(pairs) { const t = node("table"); for (const [a, b] of pairs) { const r = t.insertRow(), head = node("th", a instanceof Node ? "" : a, { scope: "row" }), cell = r.insertCell(); r.prepend(head); if (a instanceof Node) head.append(a); if (b instanceof Node) cell.append(b); else cell.textContent = b; } return t; }
const small = (...lines) => { const p = node("p"); p.append(...lines); return p; };
const section = (title, ...inside) => { const s = node("section"); s.append(node("h3", title), ...inside); return s; };
/** A list that grows by a button: `line(i)` makes an entry. */
function growing(total, line, step = MOST_PARTS) {
  const box = node("div", undefined, { class: "list" }), more = button("", () => grow()); let shown = 0;
  function grow() { const to = Math.min(total, shown + step); for (; shown < to; shown++) more.before(line(shown)); more.textContent = `${number(Math.min(step, total - shown))} more of ${number(total)}`; more.hidden = shown >= total; }
  box.append(more); grow(); return box;
}
function say(text) { $("said").textContent = ""; $("said").textContent = text; clearTimeout(say.timer); say.timer = setTimeout(() => { $("said").textContent = ""; }, 2600); }
async function copy(text, what) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = node("textarea", undefined, { "aria-hidden": "true", style: "position:fixed;opacity:0" }); area.value = text; document.body.append(area); area.select();
    const done = document.execCommand("copy"); area.remove(); if (!done) { say("Copying is not allowed here."); return; }
  }
  say(what + " copied");
}

// ---- a part
function head(title, kind, path) {
  const top = node("div", undefined, { class: "head" }), text = pathText(path);
  top.append(node("h2", title), small(kind));
  if (path.length) top.append(node("p", text, { class: "path" }));
  const row = node("div", undefined, { class: "row" });
  row.append(button("copy name", () => copy(text || data.system, "name")), button("copy link", () => copy(link(), "link")));
  if (path.length) row.append(button("up", () => show(path.slice(0, -1))));
  top.append(row); return top;
}
function partFacts(path, extra = []) {
  const key = typeAt(path), type = data.types[key]; facts.replaceChildren();
  const title = path.length ? stepText(path[path.length - 1], typeAt(path.slice(0, -1))) : data.system;
  facts.append(head(title, `${key} · ${type.kind} · ${number(type.instances)}${type.spares ? " + " + number(type.spares) + " spare" : ""} in the system`, path));
  if (!path.length) for (const sentence of data.leftOut) facts.append(node("p", sentence, { class: "left-out" }));
  facts.append(...extra);
  if (type.doc) facts.append(node("p", type.doc, { class: "doc" }));
  const pairs = [...Object.entries(type.fields), ...(type.contents ?? [])]; if (pairs.length) facts.append(rows(pairs));
  if (!type.children) facts.append(section("ports", destinations(path)));
  if (type.children?.length) {
    const list = node("div", undefined, { class: "list" });
    for (const c of type.children) {
      const many = product(c.shape), row = node("div", undefined, { class: "row" });
      row.append(button((c.shape.length ? c.shape.join(" × ") + " " : "") + called(c) + " : " + c.type, () => many > 1 ? showArray(path, c.name) : show([...path, { name: c.name, at: c.shape.map(() => 0) }])));
      list.append(row);
    }
    facts.append(section("parts", list));
  }
  if (type.bundles?.length) facts.append(section("cables", rows(type.bundles.map(([name, text], i) => [button(name, () => bundleFacts(path, i)), text]))));
  if (type.children && type.ports.length) facts.append(section("ports put out", rows(type.ports)));
  if (!type.children && state.ends.length < 2) facts.append(node("p", "Choose another device for the paths between the two.", { class: "doc" }));
}
function destinations(path) {
  const t = node("table", undefined, { id: "joined" }), type = typeOfPath(path), all = [...portsOf(path)];
  const body = t.createTBody();
  const line = ([port, at]) => {
    const end = peer(path, port, at), r = body.insertRow(), name = node("th", undefined, { scope: "row" }), to = r.insertCell(); r.prepend(name);
    if (end) { name.append(button(portText(port, at), () => cableFacts(path, port, at))); to.append(button(endText(end), () => choosePart(end.path), { title: cableText(cableOf(path, end)) })); } else { name.textContent = portText(port, at); to.textContent = endText(end); to.className = "quiet"; }
  };
  let shown = 0; const grow = () => { const to = Math.min(all.length, shown + MOST_LISTED); for (; shown < to; shown++) line(all[shown]); };
  grow();
  const box = node("div"); box.append(rows(type.ports.map(([name, text, shape]) => [name + (shape.length ? "[" + shape.join(", ") + "]" : ""), text])), t);
  if (all.length > shown) { const more = button(`all ${number(all.length)} ports`, () => { grow(); more.hidden = shown >= all.length; }); box.append(more); }
  return box;
}

// ---- a cable, and a line that stands for many
function cableFacts(path, port, at) {
  const end = peer(path, port, at), cable = cableOf(path, end), one = pathText(path) + "." + portText(port, at), link = data.links[cable.link]; facts.replaceChildren();
  const top = node("div", undefined, { class: "head" }); top.append(node("h2", cable.link + " cable"), small(one + " – " + endText(end)));
  const row = node("div", undefined, { class: "row" }); row.append(button("copy name", () => copy(one + " -- " + endText(end), "name")), button("back", () => partFacts(state.path))); top.append(row);
  const goto = (p, name) => button(name, () => choosePart(p));
  facts.append(top, rows([["from", goto(path, one)], ["to", goto(end.path, endText(end))], ...cableRows(cable, link)]), ...loadNote());
  lightBetween(path, end.path);
}
function cableRows(cable, link) {
  const load = loadText(cable);
  return [["link", `${cable.link}, ${link.protocol} x${cable.lanes}`], ["medium", mediumText(cable.medium)], ["rate", unknownRate(cable.link) ? "unknown" : rateText(cable.rate) + " each direction"], ["length", lengthText(cable.length)],
    ["latency", unknownTime(cable.link) ? "unknown" : timeText(cable.latency) + " at no load"], ...(load ? [["load", load.replace(/^load /, "") + (load.includes(" to ") ? ", over all cables of this statement" : "")]] : [])];
}
function lightBetween(one, other) { const boxes = [boxOf(one), boxOf(other)].filter(Boolean), patterns = boxes.map(partPattern); focusOn([...boxes.map(b => b.group), ...marks.lines.filter(l => { const [a, b] = linePatterns(l); return patterns.length === 2 && ((meets(a, patterns[0]) && meets(b, patterns[1])) || (meets(a, patterns[1]) && meets(b, patterns[0]))); }).map(l => l.group)]); }
/** What the loads shown are of. */
const loadNote = () => { const said = data.loads[state.traffic]?.[state.scenario]?.said; return said ? [node("p", said[0].toUpperCase() + said.slice(1) + ".", { class: "doc" })] : []; };
/** Elements of the device arrays that a name with ranges stands for, at most `most`. */
function elements(name, most) {
  const base = marks.base ?? [], found = [], wanted = pattern(name);
  (function go(path, key, rest) {
    if (found.length >= most) return;
    const type = data.types[key];
    if (!rest.length && !type.children) { found.push(path); return; }
    for (const c of type.children ?? []) {
      if (rest.length && called(c) !== rest[0][0]) continue;
      const many = product(c.shape);
      for (let i = 0; i < many && found.length < most; i++) {
        const at = unflat(i, c.shape), labels = labelled(c, at);
        if (rest.length && !rest[0][1].every((span, k) => !span || (labels[k] >= span[0] && labels[k] <= span[1]))) continue;
        go([...path, { name: c.name, at }], c.type, rest.slice(1));
      }
    }
  })(base, typeAt(base), wanted);
  return found;
}
const MOST_LOOKED = 512;
/** The cables that a line of the picture stands for: [[path, port, at, end], …], and whether those are all. */
function cablesOf(line) {
  const sides = line.ends.map(name => elements(name, MOST_LOOKED)), near = sides[0].length <= sides[1].length ? 0 : 1, base = marks.base ?? [];
  const far = pattern(line.ends[1 - near]), found = [];
  for (const path of sides[near]) for (const [port, at] of portsOf(path)) {
    const end = peer(path, port, at); if (!end || end.link !== line.link) continue;
    const name = nameIn(end.path); if (name === null || !meets(pattern(name), far)) continue;
    found.push([path, port, at, end]); if (found.length >= 4 * MOST_LOOKED) return { found, whole: false };
  }
  return { found, whole: sides[near].length < MOST_LOOKED, base };
}
function loadsText(cables) {
  const loads = data.loads[state.traffic]?.[state.scenario]; if (!loads) return "";
  const pairs = cables.map(c => { if (!loads.runs) return loads.rules[c.key][c.rule]; const v = loadOf(loads.runs, cableNumber(c.end)); return [v, v]; }), a = Math.min(...pairs.map(p => p[0])), b = Math.max(...pairs.map(p => p[1]));
  return a === b ? percent(a) : `${percent(a)} to ${percent(b)}`;
}
function lineFacts(line) {
  facts.replaceChildren(); const { found, whole } = cablesOf(line), link = data.links[line.link], top = node("div", undefined, { class: "head" });
  top.append(node("h2", `${number(line.many)} × ${line.link}`), small(`${line.ends[0]} – ${line.ends[1]}${line.lost ? " · lost in this scenario" : ""}`));
  const row = node("div", undefined, { class: "row" }); row.append(button("copy name", () => copy(`${line.ends[0]} -- ${line.ends[1]}`, "name")), button("back", () => partFacts(state.path))); top.append(row); facts.append(top);
  if (found.length === 1) { const [path, port, at, end] = found[0]; facts.append(rows([["from", button(pathText(path) + "." + portText(port, at), () => choosePart(path))], ["to", button(endText(end), () => choosePart(end.path))], ...cableRows(cableOf(path, end), link)]), ...loadNote()); }
  else if (found.length) {
    const all = found.map(([path, , , end]) => cableOf(path, end)), span = (values, text) => { const known = values.filter(v => v !== null); if (!known.length) return text(null); const a = Math.min(...known), b = Math.max(...known); return a === b ? text(a) : `${text(a)} to ${text(b)}`; };
    const loads = loadsText(all);
    facts.append(rows([["link", `${line.link}, ${link.protocol} x${[...new Set(all.map(c => c.lanes))].join(", x")}`], ["medium", mediumText(link.medium)], ["rate", unknownRate(line.link) ? "unknown" : span(all.map(c => c.rate), rateText) + " each"], ["length", span(all.map(c => c.length), lengthText)],
      ["latency", unknownTime(line.link) ? "unknown" : span(all.map(c => c.latency), timeText)], ...(loads ? [["load", loads]] : [])]), ...loadNote());
    facts.append(section(whole ? "each of them" : `the first ${number(found.length)}`, growing(found.length, i => { const [path, port, at, end] = found[i]; return button(`${pathText(path)}.${portText(port, at)} – ${endText(end)}`, () => cableFacts(path, port, at), { title: cableText(all[i]) }); }, MOST_LISTED)));
  } else facts.append(node("p", "Each of these cables leads between parts that this picture folds: open one of them to see its ports.", { class: "doc" }));
  focusOn([line.group, ...line.ends.flatMap(groupsCalled)]); openPanel();
}
function bundleFacts(path, number) {
  const [name, text, rules] = typeOfPath(path).bundles[number], key = typeAt(path), type = data.types[key]; facts.replaceChildren();
  const top = node("div", undefined, { class: "head" }), row = node("div", undefined, { class: "row" }); row.append(button("back", () => partFacts(path))); top.append(node("h2", name), small(text), row); facts.append(top);
  for (const n of rules) {
    const rule = type.rules[n], link = data.links[rule.link], cable = { link: rule.link, lanes: rule.lanes, medium: link.medium, rate: link.laneRate * rule.lanes, length: rule.length, latency: link.fixed + link.delay * (rule.length ?? 0) / 1000, key, rule: n }, floor = rule.length === null;
    facts.append(section(`${rule.left[0]}.${rule.left[2]} – ${rule.right[0]}.${rule.right[2]}`, rows(cableRows(cable, link).map(([a, b]) => floor && (a === "length" || a === "latency") ? [a, "by the floor plan: choose one cable"] : [a, b]))));
  }
  const groups = marks.lines.filter(l => rules.some(n => type.rules[n].link === l.link)).map(l => l.group); focusOn(groups); openPanel();
}

// ---- the paths between two devices
function pathFacts() {
  const [a, b] = state.ends.map(parsePath), found = between(a, b), box = node("section", undefined, { id: "paths" });
  box.append(node("h3", "paths"));
  if (!found || found.hops < 0) { mark("on-path", []); box.append(node("p", found ? "no path" : `no path among the nearest ${number(MOST_SEEN)} devices`)); return box; }
  if (state.which >= found.count) state.which = 0;
  const unknown = new Set(), total = found.count, line = node("p"), list = node("ol", undefined, { id: "path" }), stepper = node("div", undefined, { class: "row" }), others = node("details");
  line.textContent = `${number(total)} ${total === 1 ? "path" : "alternatives"} of ${number(found.hops)} ${found.hops === 1 ? "cable" : "cables"}, ` + (found.least === found.most || timeText(found.least) === timeText(found.most) ? timeText(found.least) : `${timeText(found.least)} to ${timeText(found.most)}`) + " at no load";
  const place = node("span", "", { class: "quiet", "aria-live": "polite" });
  function choose(i) {
    state.which = (i + total) % total; const walk = found.path(state.which); list.replaceChildren(); place.textContent = `${number(state.which + 1)} of ${number(total)} · ${timeText(walkTime(walk))}`;
    walk.forEach((stop, k) => {
      const li = node("li", undefined, { class: "stop" }), path = devicePath(stop.device), passing = k && k < walk.length - 1 ? typeOfPath(path).passing : 0;
      li.append(button(pathText(path), () => choosePart(path, true))); if (passing) li.append(node("span", " " + timeText(passing), { class: "quiet" })); list.append(li);
      if (stop.cable) { if (unknownTime(stop.cable.link)) unknown.add(stop.cable.link); const hop = node("li", undefined, { class: "hop" }); hop.append(button(`${stop.out} – ${walk[k + 1].in}`, () => hopFacts(path, stop.out)), node("span", cableText(stop.cable))); list.append(hop); }
    });
    light(walk);
  }
  const step = i => { choose(i); write(false); };
  if (total > 1) { stepper.append(button("‹", () => step(state.which - 1), { "aria-label": "previous path" }), place, button("›", () => step(state.which + 1), { "aria-label": "next path" })); }
  const clear = button("clear", () => { state.ends = []; state.which = 0; mark("on-path", []); partFacts(state.path); write(true); });
  stepper.append(button("swap", () => { state.ends.reverse(); state.which = 0; partFacts(state.path, [pathFacts()]); write(true); }), clear);
  if (total > 1) {
    others.append(node("summary", `all ${number(total)} alternatives`)); let made = false;
    others.ontoggle = () => { if (made || !others.open) return; made = true; others.append(growing(total, i => { const walk = found.path(i), inner = walk.slice(1, -1).map(s => pathText(devicePath(s.device))); return button(`${number(i + 1)}: ${inner.join(" › ") || "direct"} · ${timeText(walkTime(walk))}`, () => step(i)); }, 50)); };
  }
  choose(state.which); box.append(line, stepper, list, others);
  if (unknown.size) box.append(node("p", `Nobody knows the latency of ${[...unknown].join(", ")}: times are lower bounds.`, { class: "doc" }));
  return box;
}
function hopFacts(path, text) { const [port, at] = [...portsOf(path)].find(([p, v]) => portText(p, v) === text); cableFacts(path, port, at); }
/** Light the devices and the cables of a path in the picture. */
function light(walk) {
  const paths = walk.map(stop => devicePath(stop.device)), boxes = paths.map(boxOf), lit = new Set(boxes.filter(Boolean).map(b => b.group));
  for (let k = 0; k + 1 < paths.length; k++) {
    const names = [nameIn(paths[k]), nameIn(paths[k + 1])]; if (names.includes(null)) continue;
    const [p, q] = names.map(pattern);
    for (const line of marks.lines) { const [a, b] = linePatterns(line); if ((meets(a, p) && meets(b, q)) || (meets(a, q) && meets(b, p))) lit.add(line.group); }
  }
  mark("on-path", lit);
}

// ---- every element of an array
function arrayFacts(holder, name, among) {
  const key = typeAt(holder), child = childOf(key, name), all = among ?? product(child.shape); facts.replaceChildren();
  const top = node("div", undefined, { class: "head" }), row = node("div", undefined, { class: "row" }); row.append(button("copy link", () => copy(link(), "link")), button("up", () => show(holder)));
  top.append(node("h2", `every ${called(child)}`), small(`${number(product(child.shape))} × ${child.type}${holder.length ? " in " + pathText(holder) : ""}`), row); facts.append(top);
  const list = node("div"), asked = node("input", undefined, { type: "search", placeholder: "an index, such as 17 or 2, 5", "aria-label": `Which ${called(child)}` });
  const fill = () => {
    const want = asked.value.replace(/[[\]\s]/g, ""), fits = []; const total = product(child.shape);
    if (!want) { list.replaceChildren(growing(total, i => entry(unflat(i, child.shape)))); return; }
    for (let i = 0; i < total && fits.length < 2000; i++) if (labelled(child, unflat(i, child.shape)).join(",").startsWith(want)) fits.push(i);
    list.replaceChildren(growing(fits.length, i => entry(unflat(fits[i], child.shape))));
  };
  const entry = at => button(stepText({ name, at }, key), () => choosePart([...holder, { name, at }]));
  asked.oninput = fill; fill(); facts.append(asked, list);
}
