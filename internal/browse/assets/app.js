// The page: asks the server for what is shown, and shows it as text only.
"use strict";

const $ = (id) => document.getElementById(id);
const secret = location.pathname.split("/")[1];
const state = { day: "", begin: 0, offset: 0, total: 0, rows: [], at: -1, shown: null, incident: -1, bin: -1, incidents: [], verdict: "", entries: [], asked: 0, opened: 0, tried: 0 };
const pageRows = 100;
const high = 0.55;

// el makes an element with text or children.
function el(name, props, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(props || {})) {
    if (key === "class") e.className = value;
    else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

function shape(name, props) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(props)) e.setAttribute(key, value);
  return e;
}

async function ask(what, params) {
  const answer = await fetch("api/" + what + (params ? "?" + new URLSearchParams(params) : ""));
  return told(answer);
}

async function tell(what, body) {
  return told(await fetch("api/" + what, { method: "POST", headers: { "X-Token": secret, "Content-Type": "application/json" }, body: JSON.stringify(body) }));
}

async function told(answer) {
  const text = await answer.text();
  let value;
  try { value = JSON.parse(text); } catch { throw new Error(text || answer.statusText); }
  if (!answer.ok) throw new Error(value.error);
  return value;
}

const pad = (n) => String(n).padStart(2, "0");
function clock(ts) { const d = new Date(ts * 1000); return pad(d.getUTCHours()) + ":" + pad(d.getUTCMinutes()) + ":" + pad(d.getUTCSeconds()); }
function dateOf(ts) { return new Date(ts * 1000).toISOString().slice(0, 10); }
const whole = (n) => n.toLocaleString("en");
const every = (s) => s >= 7200 ? Math.round(s / 3600) + " h" : s >= 120 ? Math.round(s / 60) + " min" : Math.round(s) + " s";
const plural = (n, one, many) => whole(n) + " " + (n === 1 ? one : many || one + "s");
function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let u = 0;
  while (n >= 1000 && u < units.length - 1) { n /= 1000; u++; }
  return (u === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + " " + units[u];
}

let toastTimer;
function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $("toast").classList.remove("shown"), 5000);
}

const failed = (error) => toast(error instanceof TypeError ? "zeek-iforest browse has ended: start it again" : error.message);

// The day.

async function loadOverview() {
  const o = await ask("overview", state.day ? { day: state.day } : {});
  state.day = o.day;
  state.begin = o.begin;
  state.incidents = o.incidents;
  state.entries = o.entries;
  $("files").textContent = o.files + " · " + plural(o.rows, "connection") + (o.model ? " · model " + o.model + (o.learnt ? ", learnt from them" : "") : "");
  $("wrong").hidden = !o.wrong;
  $("wrong").textContent = o.wrong ? "The allow-list: " + o.wrong : "";
  $("day").replaceChildren(...o.days.map((d) => el("option", { value: d, selected: d === o.day ? "" : undefined }, d)));
  $("day").value = o.day;
  $("incidents-day").textContent = o.incidents.length ? "of " + o.day : "";
  $("entries-count").textContent = o.entries.length || "";
  $("entries-file").textContent = o.allow + " · " + plural(o.allowed, "unusual connection") + " quieted";
  keep("service", [["*", "any"], ...o.services.map((s) => [s.name, (s.name || "none") + " (" + whole(s.rows) + ")"])]);
  keep("reason", [["-1", "any"], ...o.reasons.map((r) => [r.feature, r.name + " (" + whole(r.rows) + ")"])]);
  $("reason").title = "the feature that counts most, of the " + plural(o.reasoned, "strangest connection", "strangest connections");
  showEntries();
  showIncidents();
  showTimeline(o.bins);
}

// keep fills a choice anew and keeps what is chosen.
function keep(id, options) {
  const was = $(id).options.length ? $(id).value : null;
  $(id).replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
  $(id).value = options.some(([value]) => String(value) === was) ? was : options[0][0];
}

function showIncidents() {
  const list = state.incidents.map((i) => {
    const others = i.inbound ? plural(i.others, "originator") : plural(i.others, "responder");
    return el("button", { type: "button", class: "incident" + (i.host && i.score >= 0.6 ? " high" : ""), "aria-pressed": String(i.number === state.incident), onclick: () => choose(i.number) },
      el("span", { class: "top" }, i.host ? (i.inbound ? "to " : "") + i.host : "No room for these", el("span", { class: "n" }, i.score.toFixed(4))),
      el("small", {}, clock(i.from) + (i.rows > 1 ? " to " + (dateOf(i.to) === state.day ? "" : dateOf(i.to) + " ") + clock(i.to) : "")),
      el("small", {}, i.period ? "beacon: calls one endpoint every " + every(i.period) + ", " + plural(i.times, "time") + " so far" : plural(i.rows, "connection") + ", " + others + ", " + plural(i.ports, "port")),
      i.reason && !i.period ? el("small", {}, i.reason) : null);
  });
  $("incident-list").replaceChildren(...(list.length ? list : [el("p", { class: "quiet" }, "Nothing was strange enough to be told.")]));
}

function showTimeline(bins) {
  const svg = $("timeline-svg");
  const y = (score) => 106 - Math.max(0, (score - 0.3) / 0.5) * 96;
  const parts = [];
  for (const score of [0.4, 0.5, 0.6, 0.7]) parts.push(shape("line", { class: "rule", x1: 0, x2: 1008, y1: y(score), y2: y(score) }));
  bins.forEach((b, i) => {
    if (b.rows) parts.push(shape("rect", { class: "bin" + (b.score >= high ? " high" : ""), x: i * 7 + 1, width: 5, y: Math.min(104, y(b.score)), height: Math.max(2, 106 - y(b.score)) }));
    if (b.alerts) parts.push(shape("rect", { class: "dot", x: i * 7, width: 7, y: y(b.score) - 9, height: 7, rx: 3.5 }));
    const hit = shape("rect", { class: "hit" + (i === state.bin ? " chosen" : ""), x: i * 7, width: 7, y: 0, height: 110 });
    const title = shape("title", {});
    title.textContent = clock(i * 600).slice(0, 5) + ": " + plural(b.rows, "connection") + (b.rows ? ", highest score " + b.score.toFixed(4) : "") + (b.alerts ? ", " + plural(b.alerts, "alert") : "");
    hit.append(title);
    hit.addEventListener("click", () => { state.bin = state.bin === i ? -1 : i; state.incident = -1; showIncidents(); showTimeline(bins); loadRows(0).catch(failed); });
    parts.push(hit);
  });
  svg.replaceChildren(...parts);
  state.bins = bins;
  $("hours").replaceChildren(...[0, 3, 6, 9, 12, 15, 18, 21, 24].map((h) => el("span", {}, pad(h) + ":00")));
}

function choose(number) {
  state.incident = state.incident === number ? -1 : number;
  state.bin = -1;
  showIncidents();
  showTimeline(state.bins);
  loadRows(0).then(() => state.rows.length && state.incident >= 0 && open(0)).catch(failed);
}

// The rows.

function filters() {
  const f = { sort: $("sort").value };
  if ($("host").value.trim()) f.host = $("host").value.trim();
  if ($("service").value !== "*") f.service = $("service").value;
  if ($("low").value) f.low = $("low").value;
  if ($("high").value) f.high = $("high").value;
  if ($("reason").value !== "-1") f.reason = $("reason").value;
  if (state.incident >= 0) f.incident = state.incident;
  else if (state.bin >= 0) { f.from = state.begin + state.bin * 600; f.to = f.from + 600; }
  else if (!$("all-days").checked) { f.from = state.begin; f.to = state.begin + 86400; }
  return f;
}

async function loadRows(offset) {
  const asked = ++state.asked;
  const page = await ask("rows", { ...filters(), offset });
  if (asked !== state.asked) return; // a later question is under way
  Object.assign(state, { offset, total: page.total, rows: page.rows, at: -1 });
  const chips = [];
  const chip = (text, off) => chips.push(el("button", { type: "button", class: "chip", title: "show all again", onclick: off }, text + " ×"));
  const chosen = state.incidents.find((i) => i.number === state.incident);
  if (chosen) chip("incident " + (chosen.host ? (chosen.inbound ? "to " : "of ") + chosen.host : "without room"), () => choose(chosen.number));
  if (state.bin >= 0) chip(clock(state.bin * 600).slice(0, 5) + " to " + (state.bin === 143 ? "24:00" : clock((state.bin + 1) * 600).slice(0, 5)), () => { state.bin = -1; showTimeline(state.bins); loadRows(0).catch(failed); });
  $("chips").replaceChildren(...chips);
  $("table").classList.toggle("dates", page.rows.some((r) => dateOf(r.ts) !== state.day));
  $("rows").replaceChildren(...page.rows.map(rowOf));
  $("range").textContent = page.total ? whole(offset + 1) + " to " + whole(offset + page.rows.length) + " of " + plural(page.total, "connection") : "No connection is like that.";
  $("prev").disabled = offset === 0;
  $("next").disabled = offset + page.rows.length >= page.total;
  $("table").scrollTop = 0;
}

function rowOf(r, n) {
  const tags = [];
  if (r.alert) tags.push(el("span", { class: "tag alert" }, "alert"));
  if (r.label) tags.push(el("span", { class: "tag " + r.label }, r.label === "benign" ? "expected" : "bad"));
  const cell = (props, ...children) => el("td", { role: "cell", ...props }, ...children);
  return el("tr", { role: "row", class: (r.score >= high ? "high " : "") + r.label, "aria-selected": "false", onclick: () => open(n) },
    cell({ title: dateOf(r.ts) }, ($("table").classList.contains("dates") ? dateOf(r.ts).slice(5) + " " : "") + clock(r.ts)),
    cell({ class: "n score" }, r.score.toFixed(4)), cell({ class: "n", title: "one connection in so many is as unusual" }, r.one_in ? whole(r.one_in) : "-"),
    cell({}, r.orig), cell({}, r.resp + "/" + r.proto), cell({}, r.service || "-"), cell({}, r.state), cell({ class: "why" }, ...tags, r.reason));
}

// A row.

async function open(n) {
  if (n < 0 || n >= state.rows.length) return;
  const lines = $("rows").children;
  if (lines[state.at]) lines[state.at].setAttribute("aria-selected", "false");
  state.at = n;
  lines[n].setAttribute("aria-selected", "true");
  lines[n].scrollIntoView({ block: "nearest" });
  await show(state.rows[n]);
}

// show is for a row that need not be on the page.
async function show(row) {
  state.shown = row;
  const opened = ++state.opened;
  const d = await ask("row", { i: row.i });
  if (opened === state.opened) showDetail(d);
}

function close() {
  state.opened++;
  state.shown = null;
  $("detail").hidden = true;
}

function showDetail(d) {
  const pane = $("detail");
  const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
  const host = (address) => el("button", { type: "button", class: "chip", title: "filter by this host", onclick: () => { $("host").value = address; state.incident = -1; loadRows(0).catch(failed); } }, address);
  const bare = (endpoint) => endpoint.startsWith("[") ? endpoint.slice(1, endpoint.lastIndexOf("]")) : endpoint.slice(0, endpoint.lastIndexOf(":"));
  const parts = [
    el("div", { class: "head" }, el("div", {}, el("span", { class: "big" }, d.score.toFixed(4)), el("span", { class: "quiet" }, d.one_in ? " 1 in " + whole(d.one_in) + " connections" : "")),
      el("span", { class: "grow" }), el("button", { type: "button", title: "Esc", "aria-label": "close", onclick: close }, "×")),
    el("p", {}, d.orig + " → " + d.resp + " " + d.proto),
    el("p", { class: "buttons" }, el("button", { type: "button", id: "expected", onclick: () => startLabel("benign") }, "Expected … (e)"), el("button", { type: "button", id: "bad", onclick: () => startLabel("bad") }, "Bad … (b)")),
    el("dl", {}, ...fact("time", dateOf(d.ts) + " " + clock(d.ts) + " UTC"), ...fact("service", d.service || "-", ", " + d.state + (d.history ? ", history " + d.history : "")),
      ...fact("lasted", d.duration ? d.duration.toFixed(3) + " s" : "-"), ...fact("sent", bytes(d.sent) + " in " + plural(d.sent_pkts, "packet")), ...fact("received", bytes(d.got) + " in " + plural(d.got_pkts, "packet")),
      ...fact("hosts", host(bare(d.orig)), host(bare(d.resp))), ...fact("uid", d.uid)),
  ];
  if (d.own && d.own !== d.score) parts.push(el("p", { class: "wrong" }, "The log's score is another model's; this one gives " + d.own.toFixed(4) + ", and what follows is its view."));
  if (d.reasons.length) {
    const most = Math.max(...d.reasons.map((r) => Math.abs(r.credit)));
    const bars = el("div", { class: "bars" });
    for (const r of d.reasons.filter((r, n) => n < 8 && r.credit > 0)) {
      const line = el("i", { class: r.unusual ? "unusual" : "" });
      line.style.width = (100 * Math.abs(r.credit) / most * 0.55).toFixed(1) + "%";
      bars.append(el("div", { class: "what" }, r.name, el("small", {}, r.value + (r.usual && r.usual !== r.value ? ", usually " + r.usual : ""))), el("div", { class: "track" }, line, el("span", { class: "quiet" }, "+" + r.credit.toFixed(2))));
    }
    parts.push(el("h3", {}, "Why"), bars.children.length ? bars : el("p", { class: "quiet" }, "Nothing makes it stranger than average."), el("p", { class: "quiet" }, "By how many cuts of the trees each makes the connection easier to set apart. Red: unusual by itself."));
  }
  if (d.change.length) {
    parts.push(el("h3", {}, "It would be ordinary with"), el("div", { class: "change" }, ...d.change.map((c) => el("p", {}, el("b", {}, c.name), " " + c.to, el("span", { class: "quiet" }, " instead of " + c.from))),
      el("p", { class: "quiet" }, "score " + d.changed.score.toFixed(4) + ", 1 in " + whole(d.changed.one_in))));
  }
  if (d.similar.length) {
    parts.push(el("h3", {}, "The most similar ordinary connections"), el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "Alike"), el("th", {}, "Connection"), el("th", {}, "Differs most in"))),
      el("tbody", {}, ...d.similar.map((s) => el("tr", {}, el("td", { class: "n" }, Math.round(100 * s.alike) + " %"), el("td", {}, s.orig + " → " + s.resp, el("br"), el("span", { class: "quiet" }, (s.service || "-") + " " + s.state + ", score " + s.score.toFixed(4))),
        el("td", {}, s.differs.map((f) => f.name + " " + f.value).join("; ")))))), el("p", { class: "quiet" }, "Among " + plural(d.among, "connection") + " of these logs."));
  } else if (d.reasons.length) parts.push(el("p", { class: "quiet" }, d.among ? "No connection of these logs is ordinary." : "It is ordinary itself."));
  pane.replaceChildren(...parts);
  pane.hidden = false;
  pane.scrollTop = 0;
}

// Labels.

function startLabel(verdict) {
  const r = state.shown;
  if (!r) {
    toast("Choose a connection first");
    return;
  }
  state.verdict = verdict;
  $("label-title").textContent = (verdict === "benign" ? "Expected: " : "Bad: ") + r.orig + " → " + r.resp + "/" + r.proto;
  $("days-label").hidden = verdict === "bad";
  $("why").value = "";
  $("why").placeholder = verdict === "benign" ? "our backup" : "what it was";
  $("label-write").textContent = verdict === "benign" ? "Quiet what is like it" : "Keep what is like it loud";
  $("label-write").classList.toggle("bad", verdict === "bad");
  $("label").showModal();
  $("why").focus();
  tryLabel().catch(failed);
}

const scope = () => document.querySelector("input[name=scope]:checked").value;

async function tryLabel() {
  const asked = ++state.tried;
  $("label-write").disabled = true;
  $("effect").replaceChildren(el("p", { class: "quiet" }, "looking …"));
  const t = await ask("label", { i: state.shown.i, verdict: state.verdict, scope: scope() });
  if (asked !== state.tried) return;
  $("label-words").textContent = "What is like it: " + t.words + ".";
  const lines = (name, text, rows) => rows.map((r) => el("tr", { class: name }, el("td", {}, text), el("td", {}, dateOf(r.ts) + " " + clock(r.ts)), el("td", { class: "n" }, r.score.toFixed(4)), el("td", {}, r.orig + " → " + r.resp), el("td", {}, r.service || "-"), el("td", {}, r.state)));
  const changes = [...lines("gone", "gone", t.gone), ...lines("new", "new", t.new)];
  $("effect").replaceChildren(el("p", {}, "Without it these logs have " + plural(t.before, "line") + " of alerts, with it " + whole(t.after) + "; " + plural(t.quieted, "unusual connection") + " quieted."
    + (t.new.length ? " New ones are those for which there is room then." : "")), changes.length ? el("table", {}, el("tbody", {}, ...changes)) : el("p", { class: "quiet" }, "No alert comes or goes."));
  if (t.wrong) $("effect").prepend(el("p", { class: "wrong" }, t.wrong));
  $("label-write").disabled = Boolean(t.wrong);
}

async function writeLabel() {
  $("label-write").disabled = true;
  const w = await tell("label", { row: state.shown.i, verdict: state.verdict, scope: scope(), why: $("why").value, days: Number($("days").value) });
  $("label").close();
  toast("Written to " + w.file);
  await reload();
}

// reload shows all anew after the allow-list has changed, and the same row.
async function reload() {
  const shown = state.shown, offset = state.offset;
  state.incident = -1;
  await loadOverview();
  await loadRows(offset);
  if (!shown) return;
  const at = state.rows.findIndex((r) => r.i === shown.i);
  await (at >= 0 ? open(at) : show(shown));
}

function showEntries() {
  const list = state.entries.map((e) => el("tr", {}, el("td", {}, el("span", { class: "tag " + (e.bad ? "bad" : "benign") }, e.bad ? "bad" : "expected")), el("td", {}, e.words, e.comment ? el("b", {}, " — " + e.comment) : null),
    el("td", {}, e.bad || !e.expires ? "for good" : "until " + e.expires + (e.over ? " (over)" : "")), el("td", {}, el("button", { type: "button", onclick: () => removeEntry(e).catch(failed) }, "Take out"))));
  $("entries-list").replaceChildren(list.length ? el("table", {}, el("tbody", {}, ...list)) : el("p", { class: "quiet" }, "Nothing is in it yet."));
}

async function removeEntry(e) {
  await tell("remove", { line: e.line, text: e.text });
  toast("Taken out");
  await reload();
}

// Keys and buttons.

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
}

function turn(by) {
  const offset = state.offset + by * pageRows;
  if (offset >= 0 && offset < state.total) loadRows(offset).catch(failed);
}

function clear() {
  $("filters").reset();
  state.bin = state.incident = -1;
  showIncidents();
  showTimeline(state.bins);
  loadRows(0).catch(failed);
}

const keys = {
  j: () => open(state.at + 1).catch(failed), ArrowDown: () => keys.j(), k: () => open(Math.max(0, state.at - 1)).catch(failed), ArrowUp: () => keys.k(),
  n: () => turn(1), p: () => turn(-1), e: () => startLabel("benign"), b: () => startLabel("bad"), "/": () => $("host").focus(), c: clear, t: theme, "?": () => $("help").showModal(), Escape: close,
  i: () => {
    if (!state.incidents.length) return;
    const next = (state.incidents.findIndex((i) => i.number === state.incident) + 1) % state.incidents.length;
    if (state.incidents[next].number !== state.incident) choose(state.incidents[next].number);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

let typing;
$("filters").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => loadRows(0).catch(failed), 120); });
$("filters").addEventListener("submit", (event) => { event.preventDefault(); loadRows(0).catch(failed); });
$("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
$("day").addEventListener("change", () => { state.day = $("day").value; state.bin = state.incident = -1; loadOverview().then(() => loadRows(0)).catch(failed); });
$("prev").addEventListener("click", () => turn(-1));
$("next").addEventListener("click", () => turn(1));
$("theme").addEventListener("click", theme);
$("help-open").addEventListener("click", () => $("help").showModal());
$("help-close").addEventListener("click", () => $("help").close());
$("entries-open").addEventListener("click", () => $("entries").showModal());
$("entries-close").addEventListener("click", () => $("entries").close());
$("label-cancel").addEventListener("click", () => $("label").close());
$("label-write").addEventListener("click", () => writeLabel().catch((error) => { $("label-write").disabled = false; failed(error); }));
$("label").querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); if (!$("label-write").disabled) $("label-write").click(); });
for (const radio of document.querySelectorAll("input[name=scope]")) radio.addEventListener("change", () => tryLabel().catch(failed));

loadOverview().then(() => loadRows(0)).then(() => { document.body.dataset.ready = "yes"; }).catch(failed);
