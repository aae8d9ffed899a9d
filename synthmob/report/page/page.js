// Joins the parts: theme, controls of the map, the table of flows, the week.
const data = JSON.parse(byId("data").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const state = { day: 0, hour: 8, level: data.level, colour: "presence", flows: 100, focus: -1 };
const slider = byId("hour"), play = byId("play"), table = byId("largest").tBodies[0];

byId("theme").addEventListener("change", event => {
  document.documentElement.dataset.theme = event.target.value;
});

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => make("option", { value }, null, text)));
}

function areas() {
  const labels = data[state.level].labels, sorted = labels.map((text, k) => [k, text]);
  sorted.sort((a, b) => a[1].localeCompare(b[1], "en", { numeric: true }));
  options(byId("focus"), [[-1, `All ${state.level}s`], ...sorted]);
}

function histogram() {
  const between = data.days[state.day].flows[state.level].between, most = Math.max(...between, 1);
  byId("histogram").replaceChildren(...between.map((n, hour) => {
    const bar = make("i", { class: hour === state.hour ? "now" : "" });
    bar.style.height = Math.max(2, (34 * n) / most) + "px";
    return bar;
  }));
}

// Everything in words that depends on what is drawn.
function changed(seen) {
  const day = data.days[state.day], flows = day.flows[state.level], labels = data[state.level].labels;
  const name = hourName(state.hour), total = flows.between[state.hour] / day.n;
  const drawn = seen.flow.drawn.reduce((sum, f) => sum + f.trips, 0);
  slider.setAttribute("aria-valuetext", name);
  byId("now").textContent = name;
  byId("histogram").childNodes.forEach((bar, hour) => bar.classList.toggle("now", hour === state.hour));
  byId("largest-hour").textContent = name;
  rows(seen.flow.drawn, labels);
  legend(seen);
  const which = state.focus < 0 ? "" : `, those from or to ${labels[state.focus]} among the hour's strongest`;
  byId("drawn").textContent =
    `${seen.flow.drawn.length} flows drawn${which}: ${say(drawn)} of ${say(total)} trips between ${state.level}s ` +
    `(${total ? Math.round((100 * drawn) / total) : 0} %). ` +
    `Not drawn: ${say(flows.inside[state.hour] / day.n)} trips inside a ${state.level}` +
    `${day.outside[state.hour] ? `, ${say(day.outside[state.hour] / day.n)} from or to outside` : ""}. ` +
    (day.n > 1 ? `Average of ${day.n} days.` : "One day.");
}

function rows(drawn, labels) {
  const shown = drawn.slice(0, 25), single = data.days[state.day].n === 1;
  const text = single || !shown.length ? say : alike(shown[0].trips);
  while (table.rows.length < shown.length) {
    const row = table.insertRow();
    for (const cell of ["", "", "number"]) row.insertCell().className = cell;
    row.addEventListener("pointerenter", () => map.emphasise(row.flow));
    row.addEventListener("pointerleave", () => map.emphasise(null));
  }
  while (table.rows.length > shown.length) table.deleteRow(-1);
  shown.forEach((f, k) => {
    table.rows[k].flow = f;
    [labels[f.from], labels[f.to], text(f.trips)].forEach((cell, c) => { table.rows[k].cells[c].textContent = cell; });
  });
  byId("none").hidden = shown.length > 0;
}

let legendKey = "";
function legend({ zone, flow }) {
  const key = [zone.key, flow.key, flow.widest].join();
  if (legendKey === key) return;
  legendKey = key;
  const colours = byId("colours"), widths = byId("widths"), limits = zone.limits;
  colours.replaceChildren(make("b", {}, null, state.colour === "net" ? "Arrivals less departures in the hour" : "People per km² at half past"));
  zone.names.forEach((name, k) => {
    const text = limits.length === 0 ? "all" : k === 0 ? `under ${say(limits[0])}` : k === limits.length ? `${say(limits[k - 1])} and more`
      : `${say(limits[k - 1])} to ${say(limits[k])}`;
    const item = make("span", {}, colours);
    make("i", { class: "swatch " + name }, item);
    item.append(text);
  });
  widths.replaceChildren(make("b", {}, null, "Trips in the hour, wide end is the origin"));
  for (const trips of [...new Set([flow.most / 8, flow.most / 2, flow.most].map(rounded))]) {
    const item = make("span", {}, widths), canvas = make("svg", { width: 44, height: 18, "aria-hidden": "true" }, item);
    make("path", { class: "wedge", d: wedge(flowWidth(trips, flow.most, flow.widest)) }, canvas);
    item.append(say(trips));
  }
}

const wedge = w => `M2 ${9 - w / 2}L42 8.7V9.3L2 ${9 + w / 2}Z`;

const map = makeMap(data, byId("map"), state, changed);

function set(key, value) {
  state[key] = value;
  if (key === "level") { state.focus = -1; areas(); }
  if (key === "day" || key === "level") histogram();
  map.redraw();
}

let timer = 0;
function playing(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => { slider.value = (state.hour + 1) % 24; set("hour", Number(slider.value)); }, calm.matches ? 2000 : 900) : 0;
  play.setAttribute("aria-pressed", String(on));
  play.textContent = on ? "❚❚ Pause" : "▶ Play";
}

options(byId("day"), data.days.map((day, k) => [k, day.name]));
byId("level").value = state.level;
areas();
histogram();
byId("day").addEventListener("change", event => set("day", Number(event.target.value)));
byId("level").addEventListener("change", event => set("level", event.target.value));
byId("colour").addEventListener("change", event => set("colour", event.target.value));
byId("flows-drawn").addEventListener("change", event => set("flows", Number(event.target.value)));
byId("focus").addEventListener("change", event => set("focus", Number(event.target.value)));
slider.addEventListener("input", () => { playing(false); set("hour", Number(slider.value)); });
play.addEventListener("click", () => playing(!timer));
byId("map").addEventListener("focusarea", event => { byId("focus").value = event.detail; set("focus", event.detail); });
byId("zoom-in").addEventListener("click", () => map.zoomBy(1.6));
byId("zoom-out").addEventListener("click", () => map.zoomBy(1 / 1.6));
byId("zoom-reset").addEventListener("click", map.reset);

options(byId("person"), data.people.map((person, k) => [k, person.label]));
const week = makeWeek(data, byId("week"), byId("inset"), byId("stay-said"), map);
week.show(0);
byId("person").addEventListener("change", event => week.show(Number(event.target.value)));
