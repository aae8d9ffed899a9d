// Numbers and shapes out of the page's data, and the two ways to make an element.
const SVG = "http://www.w3.org/2000/svg";
const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array, i2: Int16Array, i4: Int32Array };
const byId = id => document.getElementById(id);

function make(name, attributes, parent, text) {
  const html = !["svg", "g", "path", "rect", "line", "circle", "text"].includes(name);
  const node = html ? document.createElement(name) : document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

const decoded = new WeakMap();
function numbers(pair) {
  if (!decoded.has(pair)) decoded.set(pair, new TYPES[pair[0]](Uint8Array.from(atob(pair[1]), c => c.charCodeAt(0)).buffer));
  return decoded.get(pair);
}

// One SVG path a shape, in grid units; see geometry.py for the encoding.
function outlines(shapes) {
  const rings = numbers(["u2", shapes.rings]), steps = numbers(["i2", shapes.steps]);
  const paths = [];
  let x = 0, y = 0, r = 0, s = 0;
  while (r < rings.length) {
    let path = "";
    for (let left = rings[r++]; left > 0; left--) {
      for (let point = 0, n = rings[r++]; point < n; point++) {
        x += steps[s++];
        y += steps[s++];
        path += (point ? "L" : "M") + x + " " + y;
      }
      path += "Z";
    }
    paths.push(path);
  }
  return paths;
}

function points(encoded) {
  const flat = numbers(encoded), out = [];
  for (let k = 0; k < flat.length; k += 2) out.push([flat[k], flat[k + 1]]);
  return out;
}

// 1,234 or 12 or 1.2: whole where a whole number says enough.
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
// Means over days keep a tenth while all of them are small.
const alike = most => most < 100 ? n => n.toFixed(1) : n => (n < 1 ? "< 1" : whole.format(n));
const say = n => (Math.abs(n) < 10 && n % 1 ? tenth : whole).format(n).replace("-", "−");
const clock = m => String(Math.floor(m / 60)).padStart(2, "0") + ":" + String(Math.round(m % 60)).padStart(2, "0");
const hourName = h => clock(h * 60) + "–" + clock(h * 60 + 60);

// Two significant digits, for the limits of classes.
function rounded(n) {
  if (!n) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(n))) - 1);
  return Number((Math.round(n / step) * step).toPrecision(2));
}

function quantile(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : 0;
}
