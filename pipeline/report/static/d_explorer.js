// The match explorer: a story, the match of each TR, and what it did to the prediction.
const explored = new Map();
for (const script of document.querySelectorAll(".explorer-data")) {
  explored.set(script.dataset.subject, JSON.parse(script.textContent));
}
{
  const subjects = explored;
  const part = (id) => document.getElementById(id);
  const select = { subject: part("explore-subject"), story: part("explore-story"), model: part("explore-model"), unit: part("explore-unit") };
  const text = part("story"), moment = part("moment"), timeline = part("timeline");
  const BEFORE = 4, AFTER = 12, CONTEXT = 3; // rows of the aligned chart and of the passages
  let now = 0, visited = [];

  const data = () => subjects.get(select.subject.value);
  const story = () => data().stories[select.story.value];
  const model = () => data().models[select.model.value];
  const found = () => story().matches[select.model.value];
  const time = (t) => clock(data(), story(), t);
  const unpack = (packed) => {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) / data().steps);
  };
  const responses = () => {
    const unit = Number(select.unit.value), of = story().predicted[select.model.value];
    const measured = unpack(story().measured[unit]), predicted = unpack(of.predicted[unit]);
    const copied = of.copied ? unpack(of.copied[unit]) : null;
    return { measured, predicted, without: copied && predicted.map((p, t) => p - copied[t]), copied, r: of.r[unit] };
  };
  const match = (t) => (found() && found().to[t] >= 0 ? found().to[t] : null);

  function chooseSubject() {
    fill(select.story, Object.keys(data().stories).map((s) => ({ value: s, label: s })));
    fill(select.model, Object.entries(data().models).map(([m, { band }]) => {
      return { value: m, label: band || Object.values(data().stories)[0].passages[m] ? m : `${m} (no matches)` };
    }));
    select.unit.dataset.first = data().units.findIndex((unit) => unit.model === select.model.value);
    fill(select.unit, data().units.map(({ label, group }, i) => ({ value: String(i), label, group })));
    chooseStory();
  }

  function chooseStory() {
    visited = [];
    drawStory();
    const similarity = found() ? found().similarity.map((s) => s ?? -Infinity) : [];
    choose(Math.max(0, similarity.indexOf(Math.max(...similarity))), false);
  }

  function drawStory() {
    const { before, rows, after } = story();
    const similarity = found() ? found().similarity.filter((s) => s !== null) : [];
    const [low, high] = [Math.min(...similarity), Math.max(...similarity)];
    text.replaceChildren(element("span", { className: "off", textContent: before }), " ");
    rows.forEach((words, t) => {
      const span = element("span", { className: "tr", id: `tr${t}`, textContent: words || "\u00b7" });
      span.setAttribute("role", "option");
      span.dataset.t = t;
      if (match(t) !== null) {
        span.classList.add("matched");
        span.style.setProperty("--strength", high > low ? (found().similarity[t] - low) / (high - low) : 1);
      }
      text.append(span, " ");
    });
    text.append(element("span", { className: "off", textContent: after }));
  }

  function choose(t, scroll = true) {
    now = Math.min(Math.max(t, 0), story().rows.length - 1);
    const m = match(now), last = m === null ? -1 : m + Math.max(...model().offsets);
    for (const span of text.querySelectorAll(".tr")) {
      const row = Number(span.dataset.t);
      span.classList.toggle("now", row === now);
      span.classList.toggle("match", row === m);
      span.classList.toggle("after", m !== null && row > m && row <= last);
      span.setAttribute("aria-selected", row === now);
    }
    text.setAttribute("aria-activedescendant", `tr${now}`);
    const span = part(`tr${now}`);
    const top = span.offsetTop - text.offsetTop - text.clientHeight / 2;
    text.scrollTo({ top, behavior: scroll && Math.abs(top - text.scrollTop) < text.clientHeight ? "smooth" : "auto" });
    drawMoment(m);
    drawTimeline(m);
  }

  function go(t) {
    visited.push(now);
    choose(t);
  }

  function passage(t, name, title) {
    const words = (from, to) => wordsOf(story(), from, to);
    const follows = element("i", { textContent: ` ${words(t + 1, t + 1 + CONTEXT)}` });
    return element("p", { className: `passage ${name}` }, element("b", { textContent: title }),
      `\u2026 ${words(t - CONTEXT + 1, t)} `, element("mark", { textContent: story().rows[t] || "(silence)" }), follows, " \u2026");
  }

  function recalled() {
    const found = story().passages[select.model.value]?.[now];
    if (!found || !found.best.length) return [];
    const title = element("p", { textContent: `Passages of other texts most like this one (effectively ${found.effective}), and what followed:` });
    const list = element("ol", { className: "recalled" });
    for (const [from, weight, there, followed] of found.best) {
      list.append(element("li", {}, `${(100 * weight).toFixed(0)} % ${from}: \u2026 ${there}`, element("i", { textContent: ` ${followed} \u2026` })));
    }
    return [title, list];
  }

  function drawMoment(m) {
    moment.replaceChildren(element("h3", { textContent: `TR ${now}, ${time(now)} into the story` }));
    if (m === null) {
      const why = model().band ? "This TR has no match: nothing earlier is alike, or its match is too recent." : "This model looks at no matches.";
      const elsewhere = recalled();
      moment.append(...(elsewhere.length ? [] : [element("p", { textContent: why })]), passage(now, "present", "Now"), ...elsewhere);
      return;
    }
    const { similarity, words, count, weight } = found();
    const facts = element("dl");
    const fact = (name, ...value) => facts.append(element("dt", { textContent: name }), element("dd", {}, ...value));
    const jump = element("button", { className: "jump", type: "button", textContent: "go there", onclick: () => go(m) });
    fact("match", `TR ${m}, ${time(m)} `, jump);
    fact("lag", `${now - m} TR (${Math.round((now - m) * data().tr)} s)`);
    fact("similarity", `${similarity[now]}` + (words[now] ? ` (\u201c${words[now]}\u201d)` : ""));
    if (count[now] > 1) fact("weight", `${(100 * weight[now]).toFixed(1)} % (the largest of ${count[now]} matches)`);
    const { measured, predicted, without, copied } = responses();
    if (copied) {
      const fed = model().delays.map((d) => now + d).filter((t) => t < measured.length);
      const mean = (f) => fed.reduce((sum, t) => sum + f(t), 0) / fed.length;
      const error = [without, predicted].map((p) => mean((t) => (measured[t] - p[t]) ** 2).toFixed(2));
      if (fed.length) fact("adds", `${signed(mean((t) => copied[t]))} on average to TR ${fed[0]}\u2013${fed.at(-1)}; squared error ${error[0]} without matches, ${error[1]} with them`);
    }
    moment.append(facts, passage(m, "then", "Then"), passage(now, "present", "Now"), ...recalled());
    const aligned = (values, at) => Array.from({ length: BEFORE + AFTER + 1 }, (_, i) => values[at - BEFORE + i] ?? NaN);
    const series = [
      { name: "then-line", values: aligned(measured, m) },
      { name: "measured", values: aligned(measured, now) },
      { name: "predicted", values: aligned(predicted, now) },
    ];
    if (without) series.push({ name: "without", values: aligned(without, now) });
    const chart = element("figure");
    moment.append(chart);
    const delays = model().delays;
    chart.append(legend([["then-line", "measured then"], ["measured", "measured now"], ["predicted", "predicted now"],
      ...(without ? [["without", "without matches"]] : [])]),
    lineChart(chart, { series, from: 0, to: BEFORE + AFTER, height: 190, marks: [{ at: BEFORE, name: "now" }],
      origin: BEFORE, fed: [BEFORE + delays[0], BEFORE + delays.at(-1)], label: "TRs from the moment; shaded: reached by this match",
      tick: (t) => signed(t - BEFORE).replace(/\.00$/, "").replace("+0", "0") }));
  }

  function drawTimeline(m) {
    const { measured, predicted, without, r } = responses();
    const series = [{ name: "measured", values: measured }, { name: "predicted", values: predicted }];
    if (without) series.splice(1, 0, { name: "without", values: without });
    const marks = [{ at: now, name: "now" }];
    if (m !== null) marks.push({ at: m, name: "match" });
    const { delays } = model();
    const unit = data().units[Number(select.unit.value)].label;
    timeline.replaceChildren(legend([["measured", "measured"], ["predicted", "predicted"],
      ...(without ? [["without", "predicted without matches"]] : [])]),
    lineChart(timeline, { series, from: 0, to: measured.length - 1, height: 220, marks,
      fed: m === null ? null : [now + delays[0], now + delays.at(-1)], label: "time into the story (min:s); click to choose a TR", tick: time,
      onChoose: go }),
    element("figcaption", { textContent: `${select.story.value}, ${unit}: r = ${r === null ? "n/a" : r.toFixed(3).replace("-", "\u2212")} with ${select.model.value}. ` +
      "Responses in standard deviations. Blue line: the moment chosen; amber: its match." }));
  }

  text.addEventListener("click", (event) => {
    const span = event.target.closest(".tr");
    if (span) go(Number(span.dataset.t));
  });
  text.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -5, ArrowDown: 5 };
    if (event.key in steps) go(now + steps[event.key]);
    else if (event.key === "Enter" && match(now) !== null) go(match(now));
    else if (event.key === "Backspace" && visited.length) choose(visited.pop());
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(story().rows.length - 1);
    else return;
    event.preventDefault();
  });
  select.subject.addEventListener("change", chooseSubject);
  select.story.addEventListener("change", chooseStory);
  select.model.addEventListener("change", () => { drawStory(); choose(now, false); });
  select.unit.addEventListener("change", () => choose(now, false));
  addEventListener("read", ({ detail }) => {
    for (const [key, value] of [["subject", detail.subject], ["story", detail.story], ["model", detail.model]]) {
      if ([...select[key].options].some((option) => option.value === value)) select[key].value = value;
      if (key === "subject") chooseSubject();
    }
    chooseStory();
    go(detail.row);
    part("explorer").scrollIntoView();
    text.focus({ preventScroll: true });
  });
  let resized = 0;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => choose(now, false), 150);
  });
  if (subjects.size) {
    fill(select.subject, [...subjects.keys()].map((s) => ({ value: s, label: s })));
    chooseSubject();
  }
}
