// What is shown is what the address says: #PATH?picture=…&traffic=…&scenario=…&zoom=…&to=…&hide=…

const state = { path: [], label: "", traffic: "", scenario: "", x: 0, y: 0, zoom: 1, fitted: true, ends: [], which: 0, hidden: new Set(), shown: null, notice: "" };
const ARRAY = "every ";
const safely = text => { try { return decodeURIComponent(text); } catch { return text; } };
/** What an address asks for. Nothing in it is trusted: what is not there is said, and the rest is shown. */
function readAddress(hash) {
  const [place, , rest] = /^([^?]*)(\?(.*))?$/s.exec(hash.replace(/^#/, "")).slice(1), asked = new URLSearchParams(rest ?? ""), wrong = [];
  const { path, whole } = readPath(safely(place)); if (!whole) wrong.push("`" + safely(place) + "`");
  const one = (name, there) => { const v = asked.get(name) ?? ""; if (v && !there.includes(v)) { wrong.push(name + " `" + v + "`"); return ""; } return v; };
  const made = { path, traffic: one("traffic", data.traffics), scenario: one("scenario", data.scenarios), label: asked.get("picture") ?? "", hidden: new Set((asked.get("hide") ?? "").split(",").filter(Boolean)), view: null, ends: [], which: 0 };
  const zoomed = (asked.get("zoom") ?? "").split(",").map(Number);
  if (asked.has("zoom")) { if (zoomed.length === 3 && zoomed.every(Number.isFinite) && zoomed[0] > 0) made.view = zoomed; else wrong.push("zoom `" + asked.get("zoom") + "`"); }
  const between = asked.getAll("path").slice(0, 2).map(t => [t, parsePath(t)]);
  for (const [t, p] of between) if (!p?.length || typeOfPath(p).children) wrong.push("path `" + t + "`"); else made.ends.push(pathText(p));
  if (made.ends.length === 2 && made.ends[0] === made.ends[1]) made.ends.pop();
  const which = asked.get("alternative"); if (/^[1-9]\d{0,14}$/.test(which ?? "")) made.which = +which - 1;
  made.notice = wrong.length ? "Not here: " + wrong.join(", ") + "." : "";
  return made;
}
/** The address of what is shown. Zoom is three numbers: the scale, and the place of the middle of the window, as parts of the picture. */
function address() {
  const asked = [], add = (name, value) => { if (value) asked.push(name + "=" + encodeURIComponent(value).replaceAll("%20", "+").replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%2C", ",")); };
  add("picture", state.label === firstLabel() ? "" : state.label); add("traffic", state.traffic); add("scenario", state.scenario);
  if (!state.fitted) add("zoom", view().map(v => +v.toFixed(4)).join(","));
  for (const end of state.ends) add("path", end.replaceAll(", ", ","));
  if (state.which) add("alternative", String(state.which + 1));
  add("hide", [...state.hidden].sort().join(","));
  return "#" + pathText(state.path).replaceAll(", ", ",") + (asked.length ? "?" + asked.join("&") : "");
}
const framed = location.protocol === "about:"; // in a notebook the address is that of the notebook
let written = "", quiet = false;
function write(step) {
  const next = address(); if (quiet || next === written) return;
  written = next;
  try { history[step ? "pushState" : "replaceState"](next, "", framed ? undefined : next); } catch { /* a frame that may not */ }
}
const saveZoom = () => write(false);
/** Show what an address says, without a step in the history. */
async function go(hash) {
  const asked = readAddress(hash); quiet = true;
  Object.assign(state, { traffic: asked.traffic, scenario: asked.scenario, label: asked.label, hidden: asked.hidden, ends: asked.ends, which: asked.which, notice: asked.notice, shown: null });
  const done = show(asked.path, undefined, asked.view); quiet = false;
  await done; write(false);
}
// a step back, a step forward, and a hash that somebody wrote
addEventListener("popstate", e => { if (!framed || typeof e.state === "string") go(framed ? e.state : location.hash); });
const link = () => framed ? address() : location.href.replace(/#.*$/s, "") + address();
