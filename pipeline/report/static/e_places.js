// What excites a place: chosen on the map or by name, its words, timing and passages.
if (document.getElementById("places")) {
  const kept = new Map(); // subject: model: data
  for (const script of document.querySelectorAll(".places-data")) {
    const { subject, model } = script.dataset;
    if (!kept.has(subject)) kept.set(subject, new Map());
    kept.get(subject).set(model, JSON.parse(script.textContent));
  }
  const part = (id) => document.getElementById(id);
  const select = { subject: part("place-subject"), model: part("place-model"), place: part("place"), band: part("place-band") };
  const map = part("place-map"), marks = part("place-marks"), says = part("place-says");
  const SVG = "http://www.w3.org/2000/svg";
  const NEAR = 8; // pixels of the map within which a click takes a voxel
  const data = () => kept.get(select.subject.value).get(select.model.value);
  const place = () => data().places[Number(select.place.value)];
  const band = () => data().bands[Number(select.band.value)];
  const facts = () => place().bands[Number(select.band.value)];
  const regions = () => data().places.filter(({ at }) => at === undefined);

  function chooseSubject() {
    fill(select.model, [...kept.get(select.subject.value).keys()].map((m) => ({ value: m, label: m })));
    chooseModel();
  }

  function chooseModel() {
    fill(select.band, data().bands.map(({ name }, i) => ({ value: String(i), label: name })));
    const first = data().bands.findIndex(({ says: words }) => words);
    if (!select.band.dataset.chosen) select.band.value = String(Math.max(first, 0));
    select.band.parentNode.hidden = data().bands.length < 2;
    const before = select.place.selectedOptions[0]?.textContent.replace(/ \(.*/, "");
    fill(select.place, data().places.map(({ label, group, n }, i) => {
      return { value: String(i), label: n > 1 ? `${label} (${n} ${data().called})` : label, group };
    }));
    select.place.value = String(Math.max(data().places.findIndex(({ label }) => label === before), 0));
    for (const image of map.querySelectorAll("img")) {
      image.hidden = image.dataset.subject !== select.subject.value || image.dataset.model !== select.model.value;
    }
    map.parentNode.hidden = !data().map;
    if (data().map) {
      const [rows, columns] = data().map.shape;
      marks.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
      map.style.aspectRatio = `${columns} / ${rows * data().map.aspect}`;
      map.style.minWidth = `${1.5 * columns}px`; // a finger finds a voxel; the figure scrolls
      const n = data().places.length - regions().length;
      map.parentNode.querySelector("figcaption").textContent = `Colours: ${data().map.says}. Grey: not predicted, or not by this band. ` +
        `A click takes the nearest of ${n} ${data().called}; arrow keys go to the next one.`;
    }
    show();
  }

  function choose(i) {
    select.place.value = String(i);
    show();
  }

  function mark() {
    marks.replaceChildren();
    const chosen = Number(select.place.value), single = place().at !== undefined;
    if (!single && !place().group) return; // all of them
    data().places.forEach(({ at, in: within }, i) => {
      if (!at || at[0] < 0 || (single ? i !== chosen : !within.includes(chosen))) return;
      const shape = document.createElementNS(SVG, "circle");
      for (const [key, value] of [["cx", at[1] + 0.5], ["cy", at[0] + 0.5], ["r", single ? 2.2 : 0.3]]) shape.setAttribute(key, value);
      shape.setAttribute("class", single ? "single" : "member");
      marks.append(shape);
    });
  }

  function words(end) {
    const [numbers, again] = facts()[end];
    const list = element("dd", { className: "words" });
    numbers.forEach((word, k) => {
      const firm = !again || again[k] === data().n_folds;
      const title = again ? `in ${again[k]} of ${data().n_folds} folds' lists` : "";
      list.append(element("span", { className: firm ? "firm" : "loose", textContent: data().words[word], title }), " ");
    });
    return list;
  }

  function passage([number, row, predicted, measured, match]) {
    const name = data().stories[number], heard = explored.get(select.subject.value).stories[name];
    const times = explored.get(select.subject.value), delays = band().delays;
    const peak = row - Math.round((facts().peak ?? delays[0] * data().tr) / data().tr);
    const [from, to] = [row - delays.at(-1), row - delays[0] + 1];
    const read = (at) => dispatchEvent(new CustomEvent("read", {
      detail: { subject: select.subject.value, story: name, model: select.model.value, row: at } }));
    const jump = (at) => element("button", { className: "jump", type: "button", textContent: "read there", onclick: () => read(at) });
    const head = element("b", { textContent: `${name}, ${clock(times, heard, row)}: predicted ${signed(predicted)}, measured ${signed(measured)}` });
    const item = element("li", { className: "passage" }, head, `\u2026 ${wordsOf(heard, from, peak)} `,
      element("mark", { textContent: heard.rows[peak] || "(silence)" }), ` ${wordsOf(heard, peak + 1, to)} \u2026 `, jump(Math.max(peak, 0)));
    if (match) {
      const [matcher, at, earlier, adds] = match;
      const why = `${data().matchers[matcher]} adds ${signed(adds)}: ${clock(times, heard, at)} is like ${clock(times, heard, earlier)} \u2026 `;
      item.append(element("div", { className: "because" }, why, `${wordsOf(heard, earlier - 2, earlier)} `,
        element("mark", { textContent: heard.rows[earlier] || "(silence)" }),
        element("i", { textContent: ` ${wordsOf(heard, earlier + 1, earlier + 4)} \u2026 ` }), jump(at)));
    }
    return item;
  }

  function show() {
    const own = facts(), { label, group, n, r, passages } = place();
    mark();
    const title = group && place().at === undefined ? `${label} (${group})` : label;
    says.replaceChildren(element("h3", { textContent: title }));
    says.append(element("p", { className: "how", textContent: `${n > 1 ? `Mean of ${n} predicted ${data().called}, out-of-fold r ` : "Out-of-fold r "}` +
      r.toFixed(3).replace("-", "\u2212") + (own.peak ? `; answers ${own.peak.toFixed(1)} s after the words, ${own.width.toFixed(1)} s wide.` : ".") }));
    const around = (place().in || []).map((i) => element("button", { className: "jump", type: "button",
      textContent: `all of ${data().places[i].label}`, onclick: () => choose(i) }));
    if (around.length) says.append(element("p", {}, ...around));
    if (own.most) {
      says.append(element("dl", {}, element("dt", { textContent: "excited by" }), words("most"),
        element("dt", { textContent: "least by" }), words("least")));
      if (own.most[1]) {
        const again = [...own.most[1], ...own.least[1]].reduce((sum, k) => sum + k, 0) / (own.most[1].length + own.least[1].length);
        says.append(element("p", { className: "how", textContent: `Without one fold's stories ${Math.round(100 * again / data().n_folds)} % of these words ` +
          "are among the twenty again; grey ones not in every fold." }));
      }
    } else {
      const why = band().says ? `The fit leaves ${band().name} out here.` : `In ${band().name} words have no place of their own.`;
      says.append(element("p", { textContent: why }));
    }
    if (own.course && own.course.length > 1) {
      const { delays } = band(), values = [];
      delays.forEach((d, k) => { values[d] = own.course[k]; });
      const chart = element("figure");
      says.append(chart);
      chart.append(lineChart(chart, { series: [{ name: "predicted", values: Array.from(values, (v) => v ?? NaN) }], from: delays[0], to: delays.at(-1),
        height: 120, label: "seconds after the words", tick: (t) => `${+(t * data().tr).toFixed(1)}` }));
    }
    if (passages.length) {
      says.append(element("h4", { textContent: "Heard when most was predicted, in the test stories" }),
        element("ol", { className: "heard" }, ...passages.map(passage)));
    }
  }

  // On the map: the nearest voxel; by keys the nearest in a direction.
  function nearest(row, column, allowed, furthest) {
    const { aspect } = data().map;
    let best = null, least = furthest ** 2;
    data().places.forEach(({ at }, i) => {
      if (!at || at[0] < 0 || !allowed(at)) return;
      const distance = ((at[0] - row) * aspect) ** 2 + (at[1] - column) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    if (best !== null) choose(best);
  }
  map.addEventListener("click", (event) => {
    const box = map.getBoundingClientRect(), [rows, columns] = data().map.shape;
    nearest(((event.clientY - box.top) / box.height) * rows - 0.5, ((event.clientX - box.left) / box.width) * columns - 0.5, () => true, NEAR);
  });
  map.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [rows, columns] = data().map.shape, [row, column] = place().at ?? [rows / 2, columns / 2];
    const ahead = (at) => {
      const [down, right] = [at[0] - row, at[1] - column];
      const along = down * step[0] + right * step[1];
      return along > 0 && Math.abs(down * step[1]) + Math.abs(right * step[0]) <= along;
    };
    nearest(row, column, ahead, Infinity);
  });
  select.subject.addEventListener("change", chooseSubject);
  select.model.addEventListener("change", chooseModel);
  select.place.addEventListener("change", show);
  select.band.addEventListener("change", () => { select.band.dataset.chosen = "yes"; show(); });
  fill(select.subject, [...kept.keys()].map((s) => ({ value: s, label: s })));
  chooseSubject();
}
