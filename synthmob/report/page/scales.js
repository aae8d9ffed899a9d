// Classes of colour and widths of flows: one scale over all hours of a day type, so that hours compare.

// What each zone shows, hours x zones: people present per square km, or arrivals less departures.
function zoneValues(data, day, colour) {
  const n = data.zone.labels.length, source = numbers(colour === "net" ? day.net : day.presence);
  return Float64Array.from(source, (v, k) => v / day.n / (colour === "net" ? 1 : data.zone.km2[k % n] || 1));
}

// Limits between classes, rising: fewer than six where the values do not tell more classes apart.
function classLimits(values, colour) {
  if (colour !== "net") {
    const sorted = values.filter(v => v > 0).sort();
    const limits = [0.15, 0.35, 0.55, 0.75, 0.88, 0.96].map(q => rounded(quantile(sorted, q)));
    return limits.filter((v, k) => v > 0 && limits.indexOf(v) === k);
  }
  const sorted = values.map(Math.abs).filter(v => v > 0).sort();
  const limits = [0.4, 0.75, 0.94].map(q => rounded(quantile(sorted, q)));
  const distinct = limits.filter((v, k) => v > 0 && limits.indexOf(v) === k);
  return [...distinct.map(v => -v).reverse(), ...distinct];
}

function classOf(value, limits) {
  let k = 0;
  while (k < limits.length && value >= limits[k]) k++;
  return k;
}

// The colour of a class: sequential ramps use the far end first, diverging ones keep their middle.
function classNames(limits, colour) {
  const n = limits.length + 1;
  if (colour === "net") return Array.from({ length: n }, (_, k) => "net" + (k - (n - 1) / 2));
  return Array.from({ length: n }, (_, k) => "pre" + Math.round((k * 6) / Math.max(n - 1, 1)));
}

// The flows of a day type at a level, hour by hour: [{from, to, trips}], strongest first, trips a day.
function flowsByHour(day, level) {
  const flows = day.flows[level], ends = numbers(flows.ends), trips = numbers(flows.trips);
  let k = 0;
  return flows.perHour.map(n =>
    Array.from({ length: n }, () => ({ from: ends[2 * k], to: ends[2 * k + 1], trips: trips[k++] / day.n })));
}

// A tapered curve from a wide origin, bowed to one side so that both directions of a pair show; screen pixels.
function ribbon([ax, ay], [bx, by], width) {
  const dx = bx - ax, dy = by - ay, length = Math.hypot(dx, dy) || 1;
  const ux = dx / length, uy = dy / length, bow = Math.min(0.16 * length, 70);
  const cx = (ax + bx) / 2 - uy * bow, cy = (ay + by) / 2 + ux * bow;
  const half = width / 2, middle = width * 0.3, tip = Math.min(width * 0.08, 0.7);
  const at = (x, y, r, sign) => (x - sign * uy * r).toFixed(1) + " " + (y + sign * ux * r).toFixed(1);
  return "M" + at(ax, ay, half, 1) + "Q" + at(cx, cy, middle, 1) + " " + at(bx, by, tip, 1) +
    "L" + at(bx, by, tip, -1) + "Q" + at(cx, cy, middle, -1) + " " + at(ax, ay, half, -1) + "Z";
}

// The widest flow of all hours gets `widest` pixels.
const flowWidth = (trips, most, widest) => Math.max(0.7, (widest * trips) / most);
