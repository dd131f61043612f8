"use strict";
// Printing: everything that is folded is opened, and closed again afterwards;
// the configuration stays folded.
{
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .long)")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of opened) part.open = false;
  });
}

// What the explorers share.
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Put options into a select, in groups if they have any; what was chosen stays if it is still there.
function fill(target, entries) {
  const chosen = target.value || target.dataset.first;
  target.replaceChildren();
  const groups = new Map();
  for (const { value, label, group } of entries) {
    const option = element("option", { value, textContent: label });
    if (!group) { target.append(option); continue; }
    if (!groups.has(group)) {
      groups.set(group, element("optgroup", { label: group }));
      target.append(groups.get(group));
    }
    groups.get(group).append(option);
  }
  if (entries.some(({ value }) => value === chosen)) target.value = chosen;
}

// Numbers with two decimals and a sign; times as min:s.
const signed = (v) => (v >= 0 ? "+" : "\u2212") + Math.abs(v).toFixed(2);
const clock = (data, story, t) => {
  const seconds = Math.max(0, Math.round(story.start + t * data.tr));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};
const wordsOf = (story, from, to) => story.rows.slice(Math.max(from, 0), Math.max(to, 0)).join(" ");
