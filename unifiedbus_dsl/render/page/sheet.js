// The sheet: the picture that is shown, moved and zoomed; its marks by what they stand for.

const SVG_NS = "http://www.w3.org/2000/svg";
const CHUNK = 200, MOST_DIMMED = 3000;
const stage = $("stage"), sheet = $("sheet");
let drawing = 0, marks = { parts: [], lines: [], byName: new Map(), boxes: [], legend: [], base: [], width: 1, height: 1 };

// ---- building: a large picture in pieces, so that no piece takes long
const turn = () => new Promise(done => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); });
const parse = text => document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
/** Where the groups of a picture begin, a piece each, and the head before them. */
function pieces(text) {
  const found = []; let at = text.indexOf('<g id="', text.indexOf('class="graph"')); const head = text.slice(0, at < 0 ? text.length : at);
  const last = text.lastIndexOf("</g>\n</svg>");
  while (at >= 0 && at < last) {
    let end = at;
    for (let k = 0; k < CHUNK && end >= 0 && end < last; k++) { const next = text.indexOf('\n<g id="', end + 1); end = next < 0 ? last : next + 1; }
    found.push(text.slice(at, end)); at = end;
  }
  return { head: found.length ? head + "</g>\n</svg>" : text, groups: found };
}
const COLOURS = /<g id="[^"]*" class="([^"]*)">|(fill|stroke)="(#[0-9a-f]{6})"/g;
const isDark = () => document.documentElement.dataset.theme === "dark";
/** A picture's text in the colours of the night, but for tables of colours. */
function byNight(text) {
  let kept = false;
  return text.replace(COLOURS, (all, kind, what, colour) => { if (kind !== undefined) { kept = data.kept.includes(kind); return all; } return kept ? all : `${what}="${data.night[what][colour] ?? colour}"`; });
}
const inTheme = text => isDark() ? byNight(text) : text;
/** Show an SVG text; false where another one was asked for meanwhile. A large one grows out of sight, each piece in a
    task of its own, and then takes the place of the one before. */
async function draw(text) {
  const mine = ++drawing, { head, groups } = pieces(text), svg = parse(inTheme(head)), graph = svg.querySelector("g.graph") ?? svg, found = nothing(), large = groups.length > 1;
  prepareHead(svg); if (large) { svg.style.cssText += "; position: absolute; visibility: hidden"; sheet.append(svg); }
  for (const group of groups) {
    if (large) { await turn(); if (mine !== drawing) { svg.remove(); return false; } }
    const piece = parse(`<svg xmlns="${SVG_NS}" xmlns:xlink="http://www.w3.org/1999/xlink">${inTheme(group)}</svg>`);
    for (const each of piece.children) learn(each, found);
    graph.append(...piece.childNodes); if (large) svg.getBoundingClientRect();
  }
  if (large) { await turn(); if (mine !== drawing) { svg.remove(); return false; } svg.style.position = svg.style.visibility = ""; }
  for (const other of [...sheet.children]) if (other !== svg) other.remove();
  if (!large) sheet.append(svg);
  know(svg, found);
  return true;
}
function prepareHead(svg) {
  svg.setAttribute("role", "group"); svg.style.height = ""; svg.style.maxWidth = "none";
  svg.querySelector("style")?.remove();
  for (const id of ["picture-title", "picture-description"]) svg.querySelector("#" + id)?.setAttribute("id", "shown-" + id);
  svg.setAttribute("aria-labelledby", "shown-picture-title");
}
const nothing = () => ({ parts: [], lines: [], byName: new Map(), boxes: [], legend: [] });
/** The boxes of a name: a picture of before and after has two. */
const groupsCalled = name => (marks.byName.get(name)?.twins ?? []).map(part => part.group);
const strokeOf = group => group.querySelector("path, polygon, rect, ellipse")?.getAttribute("stroke") ?? "";
const BOXES = ["part", "device", "placed", "gap"];
/** Read what a mark of a picture stands for, before it is shown. */
function learn(group, { parts, lines, byName, boxes, legend }) {
  const kind = group.getAttribute("class") ?? "", title = titleOf(group);
  if (kind.startsWith("cable")) {
    const m = LINE_TITLE.exec(title); if (m) lines.push(group.__line = { group, many: +m[1].replaceAll(",", ""), link: m[2], ends: [m[3], m[4]], lost: !!m[5], patterns: null });
    return;
  }
  if (kind === "legend") { legend.push(group); return; }
  const m = PART_TITLE.exec(title); if (!m) return;
  const part = { group, name: m[1], kind, box: BOXES.includes(kind), pattern: null };
  parts.push(part); group.__part = part; group.classList.add("live");
  if (!part.box) return;
  boxes.push(part); const first = byName.get(part.name) ?? part; (first.twins ??= []).push(part); byName.set(part.name, first);
  for (const [k, v] of [["role", "button"], ["tabindex", boxes.length === 1 ? "0" : "-1"], ["aria-label", kind === "gap" ? "show all of " + part.name : part.name]]) group.setAttribute(k, v);
}
function know(svg, found) {
  marks = { ...found, base: holderOf(state.path), width: +svg.getAttribute("width"), height: +svg.getAttribute("height") };
  listFilters(); applyFilters(); drawMap();
}
const linePatterns = line => line.patterns ??= line.ends.map(pattern);
const partPattern = part => part.pattern ??= pattern(part.name);
/** The path that a mark of the picture shown stands for; of one with ranges the first element. */
function pathOfName(name) {
  for (const base of [marks.base ?? [], []]) {
    const found = parsePath([...(base.length ? [pathText(base)] : []), firstOf(name)].join(".")); if (found) return found;
  }
  return null;
}
const pathOf = group => pathOfName(nameOf(group));
/** The name of a path in the picture shown; null where it is not below what is shown. */
function nameIn(path) {
  const base = marks.base ?? []; if (!base.every((s, i) => path[i] && path[i].name === s.name && path[i].at.join() === s.at.join())) return null;
  return pathText(path.slice(base.length), typeAt(base));
}
/** The box that shows a path best: its own, or the nearest one around it, or the fold that it is in. */
function boxOf(path) {
  for (let n = path.length; n > (marks.base ?? []).length; n--) {
    const name = nameIn(path.slice(0, n)); if (name === null) return null;
    const exact = marks.byName.get(name); if (exact) return exact;
    const own = pattern(name), fold = (marks.boxes ?? []).find(b => { const p = partPattern(b); return p.length === own.length && meets(p, own); });
    if (fold) return fold;
  }
  return null;
}
/** Give marks a class, and take it from all others. */
function mark(name, groups) {
  for (const e of sheet.querySelectorAll("." + name)) e.classList.remove(name);
  for (const group of groups) group?.classList.add(name);
}
/** Marks of what a part of the picture is joined to. */
function around(part) {
  const own = partPattern(part), lines = [], others = new Set();
  for (const line of marks.lines) {
    const hit = linePatterns(line).map(p => meets(p, own)); if (!hit[0] && !hit[1]) continue;
    lines.push(line); hit.forEach((is, i) => { if (!is || hit[1 - i]) others.add(line.ends[i]); });
  }
  return { lines, names: [...others] };
}
function focusOn(groups) {
  const svg = sheet.firstElementChild; if (!svg) return;
  mark("lit", groups); svg.classList.toggle("dimmed", groups.length > 0 && marks.lines.length + marks.parts.length < MOST_DIMMED);
}

// ---- where it stands
let pending = false, settling = 0;
function place() {
  if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; sheet.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.zoom})`; drawWindow(); }); }
  sheet.classList.add("moving"); clearTimeout(settling);
  settling = setTimeout(() => { sheet.classList.remove("moving"); saveZoom(); }, 220);
}
function fitted() {
  const w = stage.clientWidth, h = stage.clientHeight, zoom = Math.min(w / marks.width, h / marks.height, 1.6) || 1;
  return { zoom, x: (w - marks.width * zoom) / 2, y: Math.max(0, (h - marks.height * zoom) / 2) };
}
function fit() { Object.assign(state, fitted()); state.fitted = true; place(); }
const LEAST_ZOOM = 0.05, MOST_ZOOM = 40;
function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const z = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, state.zoom * factor));
  state.x = x - (x - state.x) * z / state.zoom; state.y = y - (y - state.y) * z / state.zoom; state.zoom = z; state.fitted = false; place();
}
function pan(dx, dy) { state.x += dx; state.y += dy; state.fitted = false; place(); }
/** Where a mark is on the sheet, in the picture's own measure. */
function boxIn(group) { const b = group.getBBox(), [dx, dy] = graphOffset(group); return { left: b.x + dx, top: b.y + dy, right: b.x + dx + b.width, bottom: b.y + dy + b.height }; }
/** Move the sheet so that a box is seen. */
function reveal(box) {
  if (!box) return;
  const r = boxIn(box.group), z = state.zoom, edge = 24;
  const into = (low, high, size) => low < edge ? edge - low : high > size - edge ? Math.max(size - edge - high, edge - low) : 0;
  const dx = into(r.left * z + state.x, r.right * z + state.x, stage.clientWidth), dy = into(r.top * z + state.y, r.bottom * z + state.y, stage.clientHeight);
  if (dx || dy) pan(dx, dy);
}

// ---- wheel, one finger or mouse, two fingers
stage.addEventListener("wheel", e => { e.preventDefault(); const box = stage.getBoundingClientRect(); zoom(Math.exp(-e.deltaY * (e.deltaMode ? 16 : 1) / (e.ctrlKey ? 120 : 400)), e.clientX - box.left, e.clientY - box.top); }, { passive: false });
const fingers = new Map(); let drag = null;
stage.addEventListener("pointerdown", e => {
  if (e.target.closest("#tools, #found, #map")) return;
  fingers.set(e.pointerId, { x: e.clientX, y: e.clientY }); state.dragged = false; if (fingers.size === 1) drag = { far: 0 }; else drag.far = 99;
});
addEventListener("pointermove", e => {
  const before = fingers.get(e.pointerId); if (!before || !drag) return;
  const now = { x: e.clientX, y: e.clientY };
  if (fingers.size === 1) {
    const dx = now.x - before.x, dy = now.y - before.y; drag.far += Math.abs(dx) + Math.abs(dy);
    if (drag.far > 6) pan(dx, dy);
  } else if (fingers.size === 2) {
    const [other] = [...fingers].filter(([id]) => id !== e.pointerId).map(([, p]) => p), box = stage.getBoundingClientRect();
    const apart = p => Math.hypot(p.x - other.x, p.y - other.y) || 1, middle = p => [(p.x + other.x) / 2, (p.y + other.y) / 2];
    const [x, y] = middle(now), [x0, y0] = middle(before);
    pan(x - x0, y - y0); zoom(apart(now) / apart(before), x - box.left, y - box.top);
  }
  fingers.set(e.pointerId, now);
});
function lift(e) { if (!fingers.delete(e.pointerId) || !drag) return; if (!fingers.size) { state.dragged = drag.far > 6; drag = null; } }
addEventListener("pointerup", lift); addEventListener("pointercancel", lift);
stage.addEventListener("dblclick", e => { if (e.target.closest("#tools, #map, g.live")) return; const box = stage.getBoundingClientRect(); zoom(e.shiftKey ? 0.5 : 2, e.clientX - box.left, e.clientY - box.top); });
new ResizeObserver(() => { if (state.fitted) fit(); else drawWindow(); }).observe(stage);

// ---- the small map
const map = $("map"), MAP = { width: 168, height: 118 };
let mapScale = 1, mapping = 0;
function drawMap() {
  const most = Math.min(1, stage.clientWidth * 0.3 / MAP.width); mapScale = most * Math.min(MAP.width / marks.width, MAP.height / marks.height);
  const canvas = map.querySelector("canvas"), ratio = devicePixelRatio || 1, w = Math.max(1, marks.width * mapScale), h = Math.max(1, marks.height * mapScale);
  map.style.width = w + "px"; map.style.height = h + "px"; canvas.width = w * ratio; canvas.height = h * ratio;
  const ink = canvas.getContext("2d"), shown = marks.parts.filter(p => p.box), mine = ++mapping; ink.scale(mapScale * ratio, mapScale * ratio);
  let i = 0; (function some() {
    for (const end = i + 300; i < end && i < shown.length; i++) {
      const shape = shown[i].group.querySelector("path, polygon, ellipse, rect"); if (!shape?.isConnected || mine !== mapping) return;
      const box = shape.getBBox(), [dx, dy] = graphOffset(shape); ink.fillStyle = shape.getAttribute("fill"); ink.strokeStyle = shape.getAttribute("stroke"); ink.lineWidth = 0.5 / mapScale;
      ink.fillRect(box.x + dx, box.y + dy, box.width, box.height); ink.strokeRect(box.x + dx, box.y + dy, box.width, box.height);
    }
    if (i < shown.length) requestIdle(some);
  })();
}
function graphOffset(shape) { const graph = shape.closest("g.graph"), m = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(graph?.getAttribute("transform") ?? ""); return m ? [+m[1], +m[2]] : [0, 0]; }
function drawWindow() {
  const w = stage.clientWidth, h = stage.clientHeight, z = state.zoom, f = fitted(), view = map.querySelector("i");
  const inside = z <= f.zoom * 1.02 && state.x >= -2 && state.y >= -2 && state.x + marks.width * z <= w + 2 && state.y + marks.height * z <= h + 2;
  map.hidden = inside;
  if (inside) return;
  const left = Math.max(0, -state.x / z), top = Math.max(0, -state.y / z), right = Math.min(marks.width, (w - state.x) / z), bottom = Math.min(marks.height, (h - state.y) / z);
  Object.assign(view.style, { left: left * mapScale + "px", top: top * mapScale + "px", width: Math.max(4, (right - left) * mapScale) + "px", height: Math.max(4, (bottom - top) * mapScale) + "px" });
}
function centreAt(e) { const box = map.getBoundingClientRect(); state.x = stage.clientWidth / 2 - (e.clientX - box.left) / mapScale * state.zoom; state.y = stage.clientHeight / 2 - (e.clientY - box.top) / mapScale * state.zoom; state.fitted = false; place(); }
map.addEventListener("pointerdown", e => { e.preventDefault(); map.setPointerCapture(e.pointerId); centreAt(e); map.onpointermove = centreAt; });
for (const end of ["pointerup", "pointercancel"]) map.addEventListener(end, () => { map.onpointermove = null; });
const requestIdle = window.requestIdleCallback ?? (work => setTimeout(work, 1));

// ---- an array, every element of it: what a fold opens into
const MOST_CELLS = 4096;
function arrayPicture(holder, name) {
  const key = typeAt(holder), child = childOf(key, name), total = product(child.shape), many = Math.min(total, MOST_CELLS);
  const last = child.shape.length > 1 ? child.shape[child.shape.length - 1] : Math.ceil(Math.sqrt(many * 1.2));
  const texts = [...Array(many).keys()].map(i => stepText({ name, at: unflat(i, child.shape) }, key));
  const width = Math.max(64, 14 + 7 * Math.max(...texts.map(t => t.length))), height = 34, gap = 8, columns = Math.min(last, many), rowsOf = Math.ceil(many / columns);
  const kind = data.types[child.type].kind, style = data.kinds[kind] ?? data.kinds[data.types[child.type].children ? "assembly" : "device"];
  const w = 32 + columns * (width + gap), h = 84 + rowsOf * (height + gap), make = (tag, at, text) => { const e = document.createElementNS(SVG_NS, tag); for (const k in at) e.setAttribute(k, at[k]); if (text !== undefined) e.textContent = text; return e; };
  const svg = make("svg", { xmlns: SVG_NS, width: w, height: h, viewBox: `0 0 ${w} ${h}`, role: "group", "aria-label": `every ${called(child)}` });
  const ground = make("g"), found = nothing(), night = (what, colour) => isDark() ? data.night[what][colour] ?? colour : colour; svg.append(ground); ground.append(make("rect", { width: w, height: h, fill: night("fill", "#ffffff") }));
  ground.append(make("text", { x: 20, y: 34, "font-size": 18, "font-weight": "bold", fill: night("fill", "#1c2733") }, `${number(total)} × ${called(child)}`));
  ground.append(make("text", { x: 20, y: 56, "font-size": 12, fill: night("fill", "#55626f") }, child.type + (many < total ? ` · the first ${number(many)} are drawn; search finds the others` : "")));
  texts.forEach((text, i) => {
    const x = 20 + i % columns * (width + gap), y = 72 + Math.floor(i / columns) * (height + gap), g = make("g", { class: data.types[child.type].children ? "part" : "device" });
    g.append(make("title", {}, `${text} : ${child.type}`), make("rect", { x, y, width, height, rx: 6, fill: night("fill", style[0]), stroke: night("stroke", style[1]) }),
      make("text", { x: x + width / 2, y: y + height / 2 + 4, "text-anchor": "middle", "font-size": 12, fill: night("fill", "#1c2733") }, text));
    learn(g, found); svg.append(g);
  });
  return { svg, found };
}
