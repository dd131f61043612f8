// A line chart in SVG that redraws at the width it is given.
function lineChart(figure, { series, from, to, height, marks = [], fed = null, label, tick, origin = 0, onChoose = null }) {
  const NS = "http://www.w3.org/2000/svg";
  const width = Math.max(280, figure.clientWidth || 600);
  const edge = { left: 34, right: 16, top: 6, bottom: 30 };
  const make = (name, attributes, text) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const shown = series.flatMap((s) => s.values.slice(Math.max(from, 0), to + 1)).filter(Number.isFinite);
  const low = Math.min(0, ...shown), high = Math.max(0, ...shown), margin = 0.05 * (high - low) || 1;
  const x = (t) => edge.left + ((t - from) / Math.max(to - from, 1)) * (width - edge.left - edge.right);
  const y = (v) => edge.top + ((high + margin - v) / (high - low + 2 * margin)) * (height - edge.top - edge.bottom);
  const svg = make("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  if (fed) {
    const [first, last] = [Math.max(fed[0], from), Math.min(fed[1], to)];
    if (last >= first) {
      svg.append(make("rect", { class: "fed", x: x(first - 0.5), width: x(last + 0.5) - x(first - 0.5), y: edge.top,
        height: height - edge.top - edge.bottom }));
    }
  }
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((s) => (high - low) / s <= 5) || 50;
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
    const zero = Math.abs(v) < step / 2;
    svg.append(make("line", { class: zero ? "zero" : "axis", x1: edge.left, x2: width - edge.right, y1: y(v), y2: y(v) }));
    const text = v.toFixed(step < 1 ? 1 : 0).replace("-", "\u2212");
    svg.append(make("text", { x: edge.left - 5, y: y(v) + 4, "text-anchor": "end" }, text));
  }
  const every = [1, 2, 5, 10, 20, 50, 100, 200].find((s) => (to - from) / s <= width / 70) || 500;
  for (let t = origin + Math.ceil((from - origin) / every) * every; t <= to; t += every) {
    svg.append(make("text", { x: x(t), y: height - 16, "text-anchor": "middle" }, tick(t)));
  }
  svg.append(make("text", { x: (edge.left + width) / 2, y: height - 2, "text-anchor": "middle" }, label));
  for (const { at, name } of marks) {
    if (at < from || at > to) continue;
    svg.append(make("line", { class: `mark-${name}`, x1: x(at), x2: x(at), y1: edge.top, y2: height - edge.bottom }));
  }
  for (const { values, name } of series) {
    let path = "";
    for (let t = Math.max(from, 0); t <= Math.min(to, values.length - 1); t++) {
      if (Number.isFinite(values[t])) path += `${path ? "L" : "M"}${x(t).toFixed(1)} ${y(values[t]).toFixed(1)}`;
    }
    svg.append(make("path", { class: name, d: path }));
  }
  if (onChoose) {
    svg.style.cursor = "pointer";
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * width;
      onChoose(Math.round(from + ((at - edge.left) / (width - edge.left - edge.right)) * (to - from)));
    });
  }
  return svg;
}

function legend(entries) {
  const list = document.createElement("ul");
  list.className = "legend";
  for (const [name, text] of entries) {
    const item = document.createElement("li");
    item.innerHTML = `<svg viewBox="0 0 28 10" aria-hidden="true"><line class="${name}" x1="0" x2="28" y1="5" y2="5"/></svg>`;
    item.append(text);
    list.append(item);
  }
  return list;
}
