// The colours of a text, by the rules of the one TextMate grammar, with what is wrong in it marked.

/** From the rules of a grammar, each a regular expression with a scope or the scopes of its groups, what colours lines. */
export function colourer(rules) {
  const made = rules.map(({ match, name, captures }) => ({ pattern: new RegExp(match, captures ? "dg" : "g"), name, captures }));
  return (line) => {
    const pieces = [];
    const next = made.map(() => undefined);
    let at = 0;
    while (at < line.length) {
      let best = null;
      for (const [i, rule] of made.entries()) {
        if (next[i] === null) continue;
        if (next[i] === undefined || next[i].index < at) {
          rule.pattern.lastIndex = at;
          next[i] = rule.pattern.exec(line);
        }
        if (next[i] && next[i][0] && (!best || next[i].index < best.found.index)) best = { rule, found: next[i] };
      }
      if (!best) break;
      const { rule, found } = best;
      if (rule.name) pieces.push([found.index, found.index + found[0].length, rule.name]);
      for (const [group, scope] of Object.entries(rule.captures ?? {})) {
        const place = found.indices?.[group];
        if (place) pieces.push([...place, scope]);
      }
      at = found.index + found[0].length;
    }
    return pieces; // from, to, scope; in order, none over another
  };
}

/** The text as spans: coloured by line, and from `start` to `end` of each mark with the class of its severity. */
export function painted(text, colour, marks) {
  const shown = document.createDocumentFragment();
  let offset = 0;
  for (const line of text.split("\n")) {
    const classes = new Map();
    const cuts = new Set([0, line.length]);
    const pieces = [];
    for (const [from, to, scope] of colour(line)) pieces.push([from, to, scope.split(".")[0], ""]);
    for (const { start, end, severity, message } of marks) {
      const from = Math.max(0, start - offset), to = Math.min(line.length, end - offset);
      if (start <= offset + line.length && (to > from || (start >= offset && end === start))) {
        pieces.push([from, to, to > from ? severity : "empty", message]);
      }
    }
    for (const [from, to] of pieces) cuts.add(from).add(to);
    const places = [...cuts].sort((a, b) => a - b);
    for (const [i, from] of places.entries()) {
      for (const piece of pieces) if (piece[0] === from && piece[1] === from) shown.append(span("", piece[2], piece[3]));
      const to = places[i + 1];
      if (to === undefined) break;
      const over = pieces.filter((piece) => piece[0] <= from && piece[1] >= to);
      shown.append(span(line.slice(from, to), over.map((piece) => piece[2]).join(" "), over.map((piece) => piece[3]).join("")));
    }
    shown.append("\n");
    offset += line.length + 1;
  }
  return shown;
}

function span(text, classes, title) {
  if (!classes) return document.createTextNode(text);
  const made = document.createElement("span");
  made.className = classes;
  if (title) made.title = title;
  made.textContent = text;
  return made;
}

/** What a terminal would show, with its colours as classes. */
export function terminal(text) {
  const shown = document.createDocumentFragment();
  let classes = "";
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
    if (codes) classes = codes[1] === "0" ? "" : codes[1].split(";").map((code) => `sgr-${code}`).join(" ");
    else if (part) shown.append(span(part, classes, ""));
  }
  return shown;
}
