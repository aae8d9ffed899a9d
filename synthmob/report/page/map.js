// The flow map: zones coloured by hour, flows as ribbons in screen pixels, zoom, and a mark for one zone.
function makeMap(data, box, state, changed) {
  const canvas = make("svg", { "aria-hidden": "true" }, box);
  const ground = make("g", {}, canvas), zoneLayer = make("g", {}, ground);
  const borders = make("path", { class: "borders" }, ground), focusLine = make("path", { class: "focus" }, ground);
  const mark = make("path", { class: "mark" }, ground);
  const flowLayer = make("g", { class: "flows" }, canvas);
  const tip = make("div", { class: "tip", "aria-hidden": "true", hidden: "" }, box);
  const shape = { zone: outlines(data.zone), district: outlines(data.district) };
  const centre = { zone: points(data.zone.centres), district: points(data.district.centres) };
  const districtOf = numbers(data.zone.district);
  const zones = shape.zone.map((d, k) => make("path", { d, "data-zone": k }, zoneLayer));
  const ribbons = [];
  const view = { zoom: 1, x: 0, y: 0, width: 0, height: 0 };
  let base = 1, left = 0, top = 0, waiting = false, seen = {};
  borders.setAttribute("d", shape.district.join(""));

  const toScreen = ([x, y]) => [(x * base + left) * view.zoom + view.x, (y * base + top) * view.zoom + view.y];

  function draw() {
    waiting = false;
    const zone = seen.zone = zoneState();
    const n = zones.length, at = state.hour * n;
    for (let k = 0; k < n; k++) zones[k].setAttribute("class", zone.names[classOf(zone.values[at + k], zone.limits)]);
    focusLine.setAttribute("d", state.focus < 0 ? "" : shape[state.level][state.focus]);
    const flow = seen.flow = flowState();
    const drawn = flow.drawn;
    for (let k = 0; k < Math.max(drawn.length, ribbons.length); k++) {
      ribbons[k] = ribbons[k] || make("path", {}, flowLayer);
      const f = drawn[drawn.length - 1 - k];  // the small ones first, the strong ones on top
      ribbons[k].flow = f;
      const d = f ? ribbon(toScreen(centre[state.level][f.from]), toScreen(centre[state.level][f.to]), flowWidth(f.trips, flow.most, flow.widest)) : "";
      ribbons[k].setAttribute("d", d);
    }
    changed(seen);
  }

  // What depends on day type and colour alone is kept until one of them changes.
  function zoneState() {
    const key = state.day + state.colour;
    if (seen.zone && seen.zone.key === key) return seen.zone;
    const values = zoneValues(data, data.days[state.day], state.colour), limits = classLimits(values, state.colour);
    return { key, values, limits, names: classNames(limits, state.colour) };
  }

  function flowState() {
    const key = [state.day, state.level, state.focus].join();
    let flow = seen.flow;
    if (!flow || flow.key !== key) {
      const touches = f => state.focus < 0 || f.from === state.focus || f.to === state.focus;
      const hours = flowsByHour(data.days[state.day], state.level).map(hour => hour.filter(touches));
      flow = { key, hours, most: Math.max(...hours.flat().map(f => f.trips), 1e-9) };
    }
    flow.widest = Math.min(15, Math.max(7, view.width / 50));
    flow.drawn = flow.hours[state.hour].slice(0, state.flows);
    return flow;
  }

  function redraw() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  function place() {
    view.x = Math.min(0, Math.max(view.width * (1 - view.zoom), view.x));
    view.y = Math.min(0, Math.max(view.height * (1 - view.zoom), view.y));
    const scale = base * view.zoom;
    ground.setAttribute("transform", `translate(${left * view.zoom + view.x} ${top * view.zoom + view.y}) scale(${scale})`);
    box.classList.toggle("zoomed", view.zoom > 1);
    redraw();
  }

  function zoomBy(factor, x = view.width / 2, y = view.height / 2) {
    const zoom = Math.min(16, Math.max(1, view.zoom * factor)), by = zoom / view.zoom;
    view.x = x - (x - view.x) * by;
    view.y = y - (y - view.y) * by;
    view.zoom = zoom;
    place();
  }

  function reset() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    place();
  }

  function resize() {
    const width = box.clientWidth, edge = 14;
    const height = Math.round(Math.min(Math.max((width * data.height) / data.width, 260), 620, window.innerHeight * 0.86));
    if (!width || (width === view.width && height === view.height)) return;
    Object.assign(view, { width, height });
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    canvas.setAttribute("height", height);
    base = Math.min((width - 2 * edge) / data.width, (height - 2 * edge) / data.height);
    left = (width - data.width * base) / 2;
    top = (height - data.height * base) / 2;
    reset();
  }

  function tell(event) {
    const target = event.target, zone = target.dataset && target.dataset.zone;
    const text = target.flow ? flowText(target.flow) : zone !== undefined ? zoneText(Number(zone)) : "";
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const at = box.getBoundingClientRect(), x = event.clientX - at.left, y = event.clientY - at.top;
    tip.style.left = Math.max(4, Math.min(x + 14, view.width - tip.offsetWidth - 4)) + "px";
    tip.style.top = (y + 18 + tip.offsetHeight > view.height ? y - tip.offsetHeight - 10 : y + 18) + "px";
  }

  function flowText(f) {
    const labels = data[state.level].labels;
    return `${labels[f.from]} → ${labels[f.to]}\n${say(f.trips)} trips ${hourName(state.hour)}`;
  }

  function zoneText(k) {
    const n = zones.length, day = data.days[state.day], at = state.hour * n + k;
    const present = numbers(day.presence)[at] / day.n, net = numbers(day.net)[at] / day.n;
    return `${data.zone.labels[k]}\n${say(present)} people at ${clock(state.hour * 60 + 30)}, net arrivals ${net > 0 ? "+" : ""}${say(net)}`;
  }

  let grab = null;
  canvas.addEventListener("pointerdown", event => {
    grab = { x: event.clientX, y: event.clientY, moved: false };
  });
  canvas.addEventListener("pointermove", event => {
    if (grab && view.zoom > 1 && event.buttons) {
      const dx = event.clientX - grab.x, dy = event.clientY - grab.y;
      if (!grab.moved && Math.hypot(dx, dy) < 4) return;
      if (!grab.moved) canvas.setPointerCapture(event.pointerId);
      view.x += dx;
      view.y += dy;
      grab = { x: event.clientX, y: event.clientY, moved: true };
      tip.hidden = true;
      place();
    } else tell(event);
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("click", event => {
    const zone = event.target.dataset.zone, dragged = grab && grab.moved;
    grab = null;
    if (zone === undefined || dragged) return;
    const area = state.level === "zone" ? Number(zone) : districtOf[zone];
    box.dispatchEvent(new CustomEvent("focusarea", { detail: state.focus === area ? -1 : area }));
  });
  box.addEventListener("wheel", event => {
    if (!event.ctrlKey) return;  // a plain wheel scrolls the page
    event.preventDefault();
    const at = box.getBoundingClientRect();
    zoomBy(Math.exp(-event.deltaY / 200), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  const pan = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  box.addEventListener("keydown", event => {
    if (event.target !== box) return;
    if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "0") reset();
    else if (pan[event.key] && view.zoom > 1) {
      view.x += pan[event.key][0];
      view.y += pan[event.key][1];
      place();
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(resize).observe(box);
  resize();

  return {
    redraw, zoomBy, reset, shape, centre,
    outline: zone => mark.setAttribute("d", shape.zone[zone] || ""),
    emphasise: f => ribbons.forEach(path => path.classList.toggle("faded", Boolean(f) && path.flow !== f)),
  };
}
