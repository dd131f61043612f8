// The map switch: one picture is shown, chosen by model, statistic and kind, with the links to the
// interactive views of its map. Where a choice has no picture, the other two give way.
for (const maps of document.querySelectorAll(".maps")) {
  const selects = [...maps.querySelectorAll("select")];
  const images = [...maps.querySelectorAll("img")];
  const caption = maps.querySelector("figcaption");
  const views = maps.querySelector(".views");
  const links = [...maps.querySelectorAll(".views li")];
  const agreeing = (image) => selects.filter((s) => image.dataset[s.dataset.key] === s.value).length;
  const show = (changed) => {
    const possible = images.filter((i) => !changed || i.dataset[changed.dataset.key] === changed.value);
    const chosen = possible.reduce((best, image) => (agreeing(image) > agreeing(best) ? image : best));
    for (const image of images) image.hidden = image !== chosen;
    for (const select of selects) select.value = chosen.dataset[select.dataset.key];
    caption.textContent = chosen.alt;
    const of = (link) => link.dataset.model === chosen.dataset.model && link.dataset.show === chosen.dataset.show;
    for (const link of links) link.hidden = !of(link);
    if (views) views.hidden = !links.some(of);
  };
  maps.addEventListener("change", (event) => show(event.target));
  const first = images.find((image) => image.dataset.model === maps.dataset.first) || images[0];
  for (const select of selects) select.value = first.dataset[select.dataset.key];
  show(null);
}
