// One synthetic person's days: stays coloured by purpose, a line of the distance from home, and a small map of the places.
function makeWeek(data, box, inset, said, map) {
  const labels = data.zone.labels, GUTTER = 46, TOP = 22, BAR = 20, LINE = 18, ROW = BAR + LINE + 14;
  let person = data.people[0], stays = [], picked = 0;

  const capital = text => text[0].toUpperCase() + text.slice(1);
  const placeName = zone => labels[zone] === undefined ? "outside the zones" : labels[zone];

  function describe(stay) {
    const [start, end, purpose, zone, km] = stay.row;
    const far = km === null ? "" : km === 0 ? ", in the home zone" : `, ${say(km)} km from home`;
    return `${stay.day.name}, ${clock(start)} to ${clock(end)}: ${data.purposes[purpose]}, ${placeName(zone)}${far}`;
  }

  function draw() {
    const width = box.clientWidth;
    if (!width || !person) return;
    const height = TOP + person.days.length * ROW, hadFocus = box.contains(document.activeElement);
    const x = minute => GUTTER + ((width - GUTTER - 1) * minute) / 1440;
    const most = Math.max(1, ...person.days.flatMap(day => day.stays.map(row => row[4] || 0)));
    box.replaceChildren();
    const canvas = make("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "listbox",
      "aria-label": `Stays of ${person.label}` }, box);
    const frame = make("g", { "aria-hidden": "true" }, canvas), step = width < 560 ? 360 : 180;
    for (let m = 0; m <= 1440; m += step) {
      make("line", { class: "grid", x1: x(m), x2: x(m), y1: TOP - 4, y2: height - 8 }, frame);
      const anchor = m === 0 ? "start" : m === 1440 ? "end" : "middle";
      make("text", { class: "axis", x: x(m), y: 11, "text-anchor": anchor }, frame, clock(m));
    }
    stays = [];
    person.days.forEach((day, row) => {
      const y = TOP + row * ROW, [name, ...date] = day.name.split(" ");
      make("text", { class: "day", x: 0, y: y + 14 }, frame, name);
      make("text", { class: "axis", x: 0, y: y + 29 }, frame, date.join(" "));
      make("path", { class: "km", d: distanceLine(day.stays, x, y + BAR + 3, most) }, frame);
      for (const stay of day.stays) stays.push({ row: stay, day, line: row, node: bar(canvas, stay, x, y) });
    });
    stays.forEach(stay => stay.node.setAttribute("aria-label", describe(stay)));
    byId("km").textContent = `line: distance from home, 0 to ${say(most)} km`;
    pick(Math.min(picked, stays.length - 1), hadFocus);
  }

  function bar(canvas, [start, end, purpose], x, y) {
    const wide = Math.max(2, x(end) - x(start) - 1);
    const option = make("g", { role: "option", class: "stay p" + purpose, tabindex: "-1" }, canvas);
    make("rect", { x: x(start), y, width: wide, height: BAR, rx: 2.5 }, option);
    const text = capital(data.purposes[purpose]);
    if (wide > text.length * 7 + 10) make("text", { x: x(start) + 6, y: y + 14, "aria-hidden": "true" }, option, text);
    return option;
  }

  // Flat during a stay, straight between two; broken where the distance is not known.
  function distanceLine(rows, x, top, most) {
    let path = "", pen = "M";
    for (const [start, end, , , km] of rows) {
      if (km === null) { pen = "M"; continue; }
      const y = (top + LINE * (1 - km / most)).toFixed(1);
      path += `${pen}${x(start).toFixed(1)} ${y}L${x(end).toFixed(1)} ${y}`;
      pen = "L";
    }
    return path;
  }

  function pick(k, focus) {
    if (!stays[k]) return;
    if (stays[picked]) stays[picked].node.setAttribute("tabindex", "-1");
    stays.forEach((stay, j) => stay.node.setAttribute("aria-selected", String(j === k)));
    picked = k;
    stays[k].node.setAttribute("tabindex", "0");
    if (focus) stays[k].node.focus();
    said.textContent = describe(stays[k]);
    map.outline(focus ? stays[k].row[3] : -1);
    drawInset(stays[k]);
  }

  function named(canvas, on, row) {
    if (!row) return;
    const [x, y] = on(row[3]), right = x < 200;
    make("text", { x: x + (right ? 12 : -12), y: y + 4, "text-anchor": right ? "start" : "end" }, canvas, capital(data.purposes[row[2]]));
  }

  // The stay on another day that covers the middle of this one.
  function across(step) {
    const { row: [start, end], line } = stays[picked], middle = (start + end) / 2;
    const there = stays.filter(stay => stay.line === line + step);
    const gap = stay => Math.max(stay.row[0] - middle, middle - stay.row[1], 0);
    return there.length ? stays.indexOf(there.reduce((a, b) => (gap(b) < gap(a) ? b : a))) : picked;
  }

  function drawInset(stay) {
    const known = zone => map.centre.zone[zone], size = 300, edge = 60;
    const all = person.days.flatMap(day => day.stays.map(row => known(row[3]))).filter(Boolean);
    inset.replaceChildren();
    if (!all.length) return;
    const xs = all.map(p => p[0]), ys = all.map(p => p[1]), least = 3 / data.kmPerUnit;
    const spread = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), least);
    const k = (size - 2 * edge) / spread;
    const dx = size / 2 - ((Math.max(...xs) + Math.min(...xs)) / 2) * k, dy = size / 2 - ((Math.max(...ys) + Math.min(...ys)) / 2) * k;
    const on = zone => [known(zone)[0] * k + dx, known(zone)[1] * k + dy];
    const canvas = make("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" }, inset);
    const ground = make("g", { transform: `translate(${dx} ${dy}) scale(${k})` }, canvas);
    make("path", { class: "land", d: map.shape.zone.join("") }, ground);
    if (map.shape.zone[stay.row[3]]) make("path", { class: "mark", d: map.shape.zone[stay.row[3]] }, ground);
    const rows = stay.day.stays, visited = rows.filter(row => known(row[3]));
    for (let j = 1; j < rows.length; j++) {
      const [from, to] = [rows[j - 1][3], rows[j][3]];
      if (from !== to && known(from) && known(to)) make("path", { class: "hop", d: ribbon(on(from), on(to), 5) }, canvas);
    }
    for (const row of visited) {
      const [cx, cy] = on(row[3]);
      make("circle", { class: "dot p" + row[2], cx, cy, r: row[3] === stay.row[3] ? 7 : 5 }, canvas);
    }
    named(canvas, on, visited.find(row => row[2] === 0));
    if (known(stay.row[3])) named(canvas, on, stay.row);
    byId("inset-said").textContent = `Places of ${stay.day.name}, lines from the wide end; the outlined zone is the stay picked.`;
  }

  const moves = { ArrowLeft: () => picked - 1, ArrowRight: () => picked + 1, ArrowUp: () => across(-1), ArrowDown: () => across(1),
    Home: () => 0, End: () => stays.length - 1 };
  box.addEventListener("keydown", event => {
    if (!moves[event.key]) return;
    event.preventDefault();
    pick(Math.max(0, Math.min(stays.length - 1, moves[event.key]())), true);
  });
  box.addEventListener("click", event => {
    const found = stays.findIndex(stay => stay.node.contains(event.target));
    if (found >= 0) pick(found, true);
  });
  new ResizeObserver(draw).observe(box);

  return { show(k) { person = data.people[k]; picked = 0; draw(); } };
}
