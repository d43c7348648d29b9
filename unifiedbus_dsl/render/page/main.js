// What is asked for, and what is then shown.

/** The pictures of a part under the chosen traffic and scenario; where none shows both, those of the scenario alone. */
function byLabel(path) {
  const held = typeAt(holderOf(path)), of = (traffic, scenario) => data.pictures.map((p, i) => [p, i]).filter(([p]) => (p.type === held || p.everywhere) && p.traffic === traffic && p.scenario === scenario);
  for (const [traffic, scenario] of [[state.traffic, state.scenario], ["", state.scenario], ["", ""]]) { const found = of(traffic, scenario); if (found.length) return found; }
  return [];
}
/** What is chosen and not in the pictures of a part. */
function missing(path) {
  const shown = byLabel(path)[0]?.[0]; if (!shown || (shown.traffic === state.traffic && shown.scenario === state.scenario)) return "";
  return shown.scenario === state.scenario ? `There are no loads of ${state.traffic}${state.scenario ? " after " + state.scenario : " here"}: none are defined, or none were worked out.` : `There is no picture of ${state.scenario} here.`;
}
const firstLabel = () => byLabel(state.path)[0]?.[0].label ?? "";
const arraysOf = path => typeOfPath(holderOf(path)).children.filter(c => product(c.shape) > 1);
const same = (a, b) => a.length === b.length && pathText(a) === pathText(b);
/** Show a part: a picture of it or of what holds it, and what is known of it. `picture` is a number or the name of a child array. */
function show(path, picture, view) {
  const moved = !same(path, state.path) || picture !== undefined;
  state.path = path; $("hint").textContent = "";
  const choices = byLabel(path), arrays = arraysOf(path), holder = holderOf(path), labels = choices.map(([p]) => p.label);
  if (typeof picture === "string") state.label = ARRAY + picture; else if (picture !== undefined) state.label = data.pictures[picture].label;
  const array = state.label.startsWith(ARRAY) && !labels.includes(state.label) ? arrays.find(c => ARRAY + c.name === state.label) : null;
  if (!array && state.label && !labels.includes(state.label)) { if (view !== undefined && !data.pictures.some(p => p.label === state.label)) state.notice = (state.notice ? state.notice + " " : "") + `Not here: picture \`${state.label}\`.`; state.label = ""; }
  const index = array ? null : (choices.find(([p]) => p.label === state.label) ?? choices[0])?.[1];
  if (!array && index !== undefined) state.label = data.pictures[index].label;
  const menu = $("pictures"), options = choices.map(([p, i]) => node("option", p.label, { value: i })); for (const c of arrays) options.push(node("option", ARRAY + called(c) + (c.called ? " : " + c.type : ""), { value: ARRAY + c.name }));
  menu.replaceChildren(...options); menu.value = array ? ARRAY + array.name : index ?? "";
  $("traffic").value = state.traffic; $("scenario").value = state.scenario;
  trail(path); panel(path, array);
  document.title = (path.length ? pathText(path) + " · " : "") + data.system;
  const name = array ? pathText(holder) + "/" + array.name : index + "@" + (data.pictures[index]?.everywhere ? "" : pathText(holder));
  write(moved);
  const arrive = fresh => {
    if (fresh) { if (view) look(view); else fit(); }
    chosen(path); if (fresh && !view && path.length && state.path === path && !typeOfPath(path).children) reveal(boxOf(path));
    if (state.ends.length === 2 && $("paths")) light(currentWalk()); write(false);
  };
  if (name === state.shown) { if (view) look(view); chosen(path); return Promise.resolve(); }
  if (index !== null && index === state.picture && state.shown !== null) { state.shown = name; marks.base = data.pictures[index].everywhere ? [] : holder; arrive(!!view); return Promise.resolve(); }
  state.shown = name; state.picture = array ? null : index;
  if (array) { ++drawing; const { svg, found } = arrayPicture(holder, array.name); sheet.replaceChildren(svg); know(svg, found); marks.base = holder; arrive(true); return Promise.resolve(); }
  if (index === undefined) { sheet.replaceChildren(); return Promise.resolve(); }
  stage.setAttribute("aria-busy", "true");
  return draw(data.pictures[index].svg).then(done => { if (!done) return; stage.removeAttribute("aria-busy"); marks.base = data.pictures[index].everywhere ? [] : holder; arrive(true); });
}
const currentWalk = () => { const [a, b] = state.ends.map(parsePath); return between(a, b)?.path?.(state.which) ?? []; };
function look([z, x, y]) { state.fitted = false; state.zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, z)); state.x = stage.clientWidth / 2 - x * marks.width * state.zoom; state.y = stage.clientHeight / 2 - y * marks.height * state.zoom; place(); }
function chosen(path) { const box = path.length && boxOf(path); mark("chosen", box && !typeOfPath(path).children ? [box.group] : []); focusOn([]); }
function trail(path) {
  const crumbs = [button(data.system, () => show([]))];
  path.forEach((step, i) => crumbs.push(button("› " + stepText(step, typeAt(path.slice(0, i))), () => show(path.slice(0, i + 1)))));
  crumbs[crumbs.length - 1].setAttribute("aria-current", "true"); $("trail").replaceChildren(...crumbs); $("trail").scrollLeft = 1e6;
}
function panel(path, array) {
  if (array && typeOfPath(path).children) arrayFacts(path, array.name);
  else partFacts(path, state.ends.length === 2 ? [pathFacts()] : []);
  const lacks = missing(path); if (lacks && !array) facts.prepend(node("p", lacks, { class: "notice" }));
  if (state.notice) { facts.prepend(node("p", state.notice, { class: "notice", role: "status" })); state.notice = ""; }
  facts.scrollTop = 0;
}
const showArray = (holder, name) => show(holder, name);
/** A part was asked for: an assembly is opened, a device is an end of a path. */
function choosePart(path, only) {
  openPanel();
  if (typeOfPath(path).children) { show(path); return; }
  const name = pathText(path);
  if (!only) { state.ends = state.ends.length === 1 && state.ends[0] !== name ? [state.ends[0], name] : [name]; state.which = 0; }
  if (state.ends.length < 2) mark("on-path", []);
  const before = state.path; show(path); if (same(before, path)) { panel(path, null); write(true); }
}
/** A fold was asked for: every element of the array whose part it is. */
function openFold(name) {
  const path = pathOfName(name); if (!path) return;
  const step = path[path.length - 1], holder = path.slice(0, -1), child = childOf(typeAt(holder), step.name);
  if (product(child.shape) > 1) showArray(holder, child.name); else choosePart(path);
}
function activate(part) {
  const folded = part.kind === "gap" || part.kind === "more" || part.kind === "dots" || /\[[^\]]*(\*|\.\.)/.test(part.name.split(".").pop());
  if (folded) { openFold(part.name); openPanel(); return; }
  const path = pathOfName(part.name) ?? below(marks.base ?? [], part.name.replace(/\*/g, "0")); if (path) choosePart(path);
}
/** A part of a part: the first one of that name. */
function below(path, name) {
  for (const c of typeOfPath(path).children ?? []) { const first = [...path, { name: c.name, at: c.shape.map(() => 0) }], p = parsePath(pathText(first) + "." + name); if (p) return p; const deeper = below(first, name); if (deeper) return deeper; }
  return null;
}
function under(e) { for (const at of document.elementsFromPoint(e.clientX, e.clientY)) { const group = at.closest?.("#sheet g[class]"); if (group?.__part || group?.__line) return group; if (at === stage) break; } return e.target.closest?.("#sheet g.live, #sheet g.cable"); }
const near = e => { for (const [dx, dy] of [[0, 0], [0, 4], [0, -4], [4, 0], [-4, 0]]) { const group = under({ clientX: e.clientX + dx, clientY: e.clientY + dy, target: e.target }); if (group) return group; } return null; };
stage.addEventListener("click", e => {
  if (e.target.closest("#tools, #map, #found") || state.dragged) return;
  const own = e.target.closest("#sheet g.live, #sheet g[class^='cable']"), group = own?.__part || own?.__line ? own : e.detail ? near(e) : own; if (!group) { const legend = e.target.closest("#sheet g.legend, #sheet g.scale"); if (legend) toggleLegend(legend.id); return; }
  if (group.__part) activate(group.__part); else if (group.__line) lineFacts(group.__line);
});
function openPanel() { document.body.classList.remove("shut"); $("grip").setAttribute("aria-expanded", "true"); }
$("grip").onclick = () => { const shut = document.body.classList.toggle("shut"); $("grip").setAttribute("aria-expanded", String(!shut)); };

// ---- hover: what a part is joined to
let hovering = 0, hovered = null;
stage.addEventListener("pointerover", e => {
  if (drag && drag.far > 6) return; clearTimeout(hovering);
  const group = e.target.closest("#sheet g.live, #sheet g[class^='cable']"); if (group === hovered) return; hovered = group;
  hovering = setTimeout(() => hover(group), 70);
});
stage.addEventListener("pointerleave", () => { clearTimeout(hovering); hovered = null; hover(null); });
function hover(group) {
  if (!group) { $("hint").textContent = ""; focusOn([]); return; }
  if (group.__line) { const l = group.__line; $("hint").textContent = `${number(l.many)} × ${l.link}: ${l.ends[0]} – ${l.ends[1]}${l.lost ? ", lost" : ""}`; focusOn([group, ...l.ends.flatMap(groupsCalled)]); return; }
  const part = group.__part; if (!part) return;
  hint(group); const own = marks.byName.get(part.name) ?? part, { lines, names } = around(own);
  let others = names.flatMap(groupsCalled);
  if (!marks.lines.length) { const path = pathOfName(part.name); if (path) others = [...new Set(ends(path, 512).map(([, end]) => end && boxOf(end.path)).filter(b => b && b !== own).map(b => b.group))]; }
  focusOn(lines.length || others.length ? [...groupsCalled(own.name), part.group, ...lines.map(l => l.group), ...others] : []);
}
function hint(group) {
  const name = nameOf(group), path = pathOf(group), type = path && typeOfPath(path); if (!path) { $("hint").textContent = ""; return; }
  if (group.__part?.kind === "gap") { $("hint").textContent = `${name} : ${typeAt(path)} · a click shows each of them`; return; }
  const joins = type.children ? [] : ends(path, MOST_LISTED), shown = joins.filter(([, end]) => end).slice(0, 4).map(([port, end]) => port + " – " + endText(end));
  $("hint").textContent = [pathText(path) + " : " + typeAt(path), ...(type.contents ?? []).slice(0, 4).map(([a, b]) => b + " " + a), ...shown, ...(shown.length && joins.length > 4 ? ["…"] : [])].join(" · ");
}

// ---- keyboard on the parts of a picture
sheet.addEventListener("keydown", e => {
  const group = e.target.closest("g[role=button]"); if (!group || e.ctrlKey || e.metaKey || e.altKey) return;
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
  if (e.key === "Enter" || e.key === " ") { e.preventDefault(); e.stopPropagation(); activate(group.__part); return; }
  const turn = { PageDown: 1, PageUp: -1 }[e.key], at = marks.boxes.findIndex(b => b.group === group);
  if (turn) { e.preventDefault(); e.stopPropagation(); focusPart(marks.boxes[(at + turn + marks.boxes.length) % marks.boxes.length].group); return; }
  if (!way || e.shiftKey) return;
  e.preventDefault(); e.stopPropagation(); const next = nearest(group, way); if (next) focusPart(next);
});
sheet.addEventListener("focusin", e => { const group = e.target.closest("g[role=button]"); if (group && group.matches(":focus-visible")) { hover(group); reveal(group.__part); } });
function focusPart(group) { for (const b of marks.boxes) b.group.setAttribute("tabindex", b.group === group ? "0" : "-1"); group.focus(); }
/** The nearest box wholly on one side of a box, of those that hold no other. */
function nearest(from, [dx, dy]) {
  const rect = g => g.getBoundingClientRect(), own = rect(from), middle = r => [r.left + r.width / 2, r.top + r.height / 2], [x, y] = middle(own); let best = null, least = Infinity;
  for (const { group } of innermost()) {
    if (group === from || group.classList.contains("off")) continue;
    const r = rect(group), gap = dx ? (dx > 0 ? r.left - own.right : own.left - r.right) : dy > 0 ? r.top - own.bottom : own.top - r.bottom; if (gap < -2) continue;
    const [u, v] = middle(r), cost = gap + 2 * (dx ? Math.abs(v - y) : Math.abs(u - x)) * (dx ? 2 : 1); if (cost < least) { least = cost; best = group; }
  }
  return best;
}
function innermost() {
  if (marks.innermost) return marks.innermost;
  const all = marks.boxes.map(b => [b, b.group.getBBox()]), inside = (a, b) => a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
  return marks.innermost = all.filter(([b, r]) => !all.some(([c, s]) => c !== b && s.width < r.width && inside(s, r))).map(([b]) => b);
}

// ---- filters: kinds of device, media of cables, steps of load
const kindOfPart = part => { const path = pathOfName(part.name) ?? below(marks.base ?? [], firstOf(part.name).replace(/\*/g, "0")); return path && !typeOfPath(path).children ? typeOfPath(path).kind : null; };
const mediumOf = link => data.links[link]?.medium || link;
const kindName = kind => ({ npu: "NPU", cpu: "CPU", nic: "NIC" })[kind] ?? kind;
const stepName = i => i === 0 ? `load to ${percent(data.loadLimits[0])}` : i < data.loadLimits.length ? `load ${percent(data.loadLimits[i - 1])} to ${percent(data.loadLimits[i])}` : `load over ${percent(data.loadLimits[i - 1])}`;
/** Whether the colours of the picture are loads. */
const shownLoads = () => !!data.pictures[state.picture]?.traffic;
const stepOf = line => line.step ??= data.loadColours.findIndex(c => [c, data.night.stroke[c]].includes(strokeOf(line.group)));
/** What an entry of a legend is called in an address: `legend-sort-1-plane-1-line` is `plane-1`. */
const entryName = id => id.replace(/^legend-/, "").replace(/-(line|box)$/, "").replace(/^load-(\d)$/, "load$1").replace(/^sort-\d+-|^sort-/, "").replace(/-+$/, "");
/** The sorts of cable that the legend of a picture tells apart by colour: { colour: [name, text] }; not media, not loads. */
function sortsOf() {
  const made = {};
  for (const group of marks.legend) {
    const m = /^legend-(sort-.*|lost)-line$/.exec(group.id); if (!m) continue;
    const text = (sheet.querySelector(`[id="legend-${m[1]}"], [id="legend-${m[1]}-cable"]`)?.textContent ?? m[1]).trim();
    made[strokeOf(group)] = [entryName(group.id), m[1] === "lost" ? "cable lost" : text.split(" · ")[0].split(": ").pop()];
  }
  return made;
}
/** Chips to leave out what they name: kinds of device; of cables steps of load, or what the legend tells apart, or media. */
function listFilters() {
  const found = new Map(), sorts = sortsOf(), sorted = Object.values(sorts).some(([name]) => name !== "lost");
  for (const part of marks.parts) if (part.box && part.kind !== "gap") { part.filter ??= kindOfPart(part); if (part.filter && !found.has(part.filter)) found.set(part.filter, [kindName(part.filter), strokeOf(part.group), "box"]); }
  for (const line of marks.lines) line.sort = sorts[strokeOf(line.group)]?.[0];
  if (shownLoads()) for (const step of [...new Set(marks.lines.map(stepOf))].filter(i => i >= 0).sort()) found.set("load" + step, [stepName(step), isDark() ? data.night.stroke[data.loadColours[step]] : data.loadColours[step], "line"]);
  else if (!sorted) for (const line of marks.lines) if (line.sort !== "lost") found.set(mediumOf(line.link), [mediumText(mediumOf(line.link)), strokeOf(line.group), "line"]);
  for (const [colour, [name, text]] of Object.entries(sorts)) if (marks.lines.some(l => l.sort === name)) found.set(name, [text, colour, "line"]);
  const row = $("filters"); row.replaceChildren();
  for (const name of new Set([...found.keys(), ...state.hidden])) {
    const [text, colour, kind] = found.get(name) ?? [name, "", "box"], chip = button("", () => toggle(name), { "aria-pressed": String(!state.hidden.has(name)), "data-name": name });
    const dot = node("i", undefined, { class: kind }); if (colour) dot.style.background = colour; chip.append(dot, text); row.append(chip);
  }
}
function toggle(name) { if (!state.hidden.delete(name)) state.hidden.add(name); applyFilters(); for (const chip of $("filters").children) chip.setAttribute("aria-pressed", String(!state.hidden.has(chip.dataset.name))); write(true); }
/** An entry of a picture's own legend was chosen. */
function toggleLegend(id) { const name = entryName(id); if ([...$("filters").children].some(c => c.dataset.name === name)) toggle(name); }
/** The lines that a label is of: `…bundle-npu-plane-Board-4` those of `…plane-npu-Board-4-…`. */
function linesOf(id) {
  const m = /^(.*?)bundle-([^-]+)-([^-]+)-(.+?-\d+)(?:-ground|-line-\d+)?$/.exec(id); if (!m) return [];
  const starts = [`${m[1]}${m[2]}-${m[3]}-${m[4]}-`, `${m[1]}${m[3]}-${m[2]}-${m[4]}-`]; return marks.lines.filter(l => starts.some(s => l.group.id.startsWith(s)));
}
function applyFilters() {
  const off = state.hidden, gone = new Set(), loads = shownLoads();
  for (const part of marks.parts) {
    if (off.size) part.filter ??= kindOfPart(part); const hide = off.size > 0 && part.filter !== null && off.has(part.filter);
    part.group.classList.toggle("off", hide); if (hide) gone.add(part.name);
  }
  for (const line of marks.lines) line.group.classList.toggle("off", off.size > 0 && (off.has(mediumOf(line.link)) || off.has(line.sort) || (loads && off.has("load" + stepOf(line))) || line.ends.some(name => gone.has(name) || (line.kinds ??= line.ends.map(n => kindOfPart({ name: n }))).some(k => k && off.has(k)))));
  for (const g of sheet.querySelectorAll("g.dots, g.more")) g.classList.toggle("off", !!sheet.querySelector(`[id="${g.id.replace(/-dots$/, "")}-ground"].off`));
  for (const g of sheet.querySelectorAll("g.pill, g.bundle, g.bundle-note")) { const lines = linesOf(g.id); g.classList.toggle("off", lines.length > 0 && lines.every(l => l.group.classList.contains("off"))); }
  for (const g of marks.legend) g.classList.toggle("struck", off.has(entryName(g.id)));
}

// ---- search
function find() {
  const { count, names } = search($("search").value), box = $("found"); box.hidden = !$("search").value.trim(); box.replaceChildren();
  if (!names.length) { box.append(node("p", "nothing is called that")); return; }
  names.forEach(([text, path], i) => box.append(button(text + " : " + typeAt(path), () => { shut(); choosePart(path); stage.focus(); }, { id: "found-" + i })));
  if (count > names.length) box.append(node("p", `${number(count)} in all: say more of the name for the others`));
}
function shut() { $("found").hidden = true; document.body.classList.remove("searching"); }
$("search").oninput = find; $("search").onfocus = () => { if ($("search").value.trim()) find(); };
$("search").onkeydown = e => { if (e.key === "Enter") $("found").querySelector("button")?.click(); if (e.key === "ArrowDown") { e.preventDefault(); $("found").querySelector("button")?.focus(); } };
$("found").onkeydown = e => { const to = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[e.key]; if (!to) return; e.preventDefault(); e.stopPropagation(); const next = document.activeElement[to]; if (next?.matches("button")) next.focus(); else if (e.key === "ArrowUp") $("search").focus(); };
addEventListener("pointerdown", e => { if (!e.target.closest("#found, #search, #seek")) shut(); if (!e.target.closest("#save")) $("save").open = false; });
$("seek").onclick = () => { document.body.classList.add("searching"); $("search").focus(); };

// ---- download what is seen
/** The picture as it is seen: what is in the window, in the colours of the page. */
function seen() {
  const svg = sheet.firstElementChild.cloneNode(true), z = state.zoom, x = Math.max(0, -state.x / z), y = Math.max(0, -state.y / z);
  const w = Math.min(marks.width, (stage.clientWidth - state.x) / z) - x, h = Math.min(marks.height, (stage.clientHeight - state.y) / z) - y;
  svg.setAttribute("viewBox", [x, y, w, h].join(" ")); svg.setAttribute("width", w); svg.setAttribute("height", h); svg.setAttribute("xmlns", SVG_NS); svg.style.transform = "";
  for (const e of svg.querySelectorAll("[tabindex]")) { e.removeAttribute("tabindex"); e.removeAttribute("role"); }
  const style = document.createElementNS(SVG_NS, "style"), ink = getComputedStyle(document.documentElement); style.textContent = [...document.styleSheets].flatMap(s => [...s.cssRules]).map(r => r.cssText).filter(t => t.includes("#sheet ") && (isDark() || !t.includes('data-theme="dark"'))).map(t => t.replaceAll(':root[data-theme="dark"] ', "").replaceAll("#sheet ", "").replace(/var\((--\w+)\)/g, (_, name) => ink.getPropertyValue(name))).join("\n");
  svg.prepend(style); return { text: new XMLSerializer().serializeToString(svg), width: w, height: h };
}
function save(blob, ending) { const a = node("a", undefined, { download: `${[data.system, ...(state.path.length ? [pathText(state.path)] : [])].join(".").replace(/[^\w.-]+/g, "-")}.${ending}`, href: URL.createObjectURL(blob) }); a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 1e4); say("saved " + a.download); $("save").open = false; }
$("save-svg").onclick = () => save(new Blob([seen().text], { type: "image/svg+xml" }), "svg");
$("save-png").onclick = () => {
  const { text, width, height } = seen(), image = new Image(), scale = Math.max(1, Math.min(2 * state.zoom, 8000 / Math.max(width, height)));
  image.onload = () => { const c = node("canvas"); c.width = width * scale; c.height = height * scale; c.getContext("2d").drawImage(image, 0, 0, c.width, c.height); c.toBlob(b => b ? save(b, "png") : say("This browser makes no PNG of it.")); };
  image.onerror = () => say("This browser makes no PNG of it."); image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
};

// ---- menus and keys
for (const what of ["traffic", "scenario"]) {
  const names = data[what + "s"], menu = $(what); menu.parentElement.hidden = !names.length;
  menu.replaceChildren(...["", ...names].map(n => node("option", n || "no " + what, { value: n })));
  menu.onchange = () => { state[what] = menu.value; state.shown = null; state.picture = null; const at = view(), wide = marks.width; show(state.path).then(() => { if (at && marks.width === wide) look(at); write(false); }); write(true); };
}
$("pictures").onchange = e => { const v = e.target.value; if (v.startsWith(ARRAY)) show(holderOf(state.path), v.slice(ARRAY.length)); else show(state.path, +v); };
const theme = name => { document.documentElement.dataset.theme = name; $("theme").setAttribute("aria-label", name === "dark" ? "light page" : "dark page"); if (state.shown !== null) redraw(); };
function redraw() { const at = view(); state.shown = null; state.picture = null; show(state.path, undefined, at); }
function view() { return state.fitted ? null : [state.zoom, (stage.clientWidth / 2 - state.x) / state.zoom / marks.width, (stage.clientHeight / 2 - state.y) / state.zoom / marks.height]; }
$("theme").onclick = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
const night = matchMedia("(prefers-color-scheme: dark)"); theme(night.matches ? "dark" : "light"); night.onchange = () => theme(night.matches ? "dark" : "light");
$("zoom-in").onclick = () => zoom(1.4); $("zoom-out").onclick = () => zoom(1 / 1.4); $("zoom-fit").onclick = fit;
$("help").onclick = () => $("keys").showModal(); $("keys").onclick = e => { if (e.target === $("keys")) $("keys").close(); };
addEventListener("keydown", e => {
  if (e.key === "Escape" && (document.body.classList.contains("searching") || !$("found").hidden)) { shut(); stage.focus(); return; }
  if (e.target.matches("input, select, textarea") || e.ctrlKey || e.metaKey || e.altKey || $("keys").open) return;
  const step = 60, inPicture = e.target === stage || e.target === document.body || e.target.closest?.("#stage");
  const keys = { "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit, "/": () => $("seek").click(), "?": () => $("help").click(), Backspace: () => show(state.path.slice(0, -1)), Escape: () => { state.ends = []; state.which = 0; mark("on-path", []); focusOn([]); panel(state.path, null); write(true); },
    ...(inPicture ? { ArrowLeft: () => pan(step, 0), ArrowRight: () => pan(-step, 0), ArrowUp: () => pan(0, step), ArrowDown: () => pan(0, -step) } : {}) };
  if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
});
go(framed ? "" : location.hash).then(() => write(false));
