// What an inspector of accessibility looks for first; returns sentences about what is wrong on the page.
() => {
  const faults = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const say = (element) => element.outerHTML.slice(0, 160).replace(/\s+/g, " ");
  const name = (element) =>
    element.getAttribute("aria-label") ||
    [...(element.getAttribute("aria-labelledby") ?? "").split(" ")].map((id) => document.getElementById(id)?.textContent).join("") ||
    [...(element.labels ?? [])].map((label) => label.textContent).join("") ||
    element.textContent ||
    element.alt ||
    element.value;

  for (const element of all("a[href], button, summary, input:not([type=hidden]), select, textarea")) {
    if (!element.closest("[aria-hidden=true]") && !name(element)?.trim()) faults.push(`no name: ${say(element)}`);
  }
  for (const element of all("[aria-describedby], [aria-labelledby], [aria-controls]")) {
    for (const attribute of ["aria-describedby", "aria-labelledby", "aria-controls"]) {
      for (const id of (element.getAttribute(attribute) ?? "").split(" ").filter(Boolean)) {
        if (!document.getElementById(id)) faults.push(`${attribute} names nothing: ${say(element)}`);
      }
    }
  }
  if (all("h1").length !== 1) faults.push(`${all("h1").length} h1`);
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.localName[1]);
    if (own > level + 1 && level) faults.push(`h${level} is followed by ${say(heading)}`);
    level = own;
  }
  if (all("main").length !== 1) faults.push(`${all("main").length} main`);
  for (const image of all("img")) if (!image.hasAttribute("alt")) faults.push(`no alt: ${say(image)}`);
  for (const icon of all("svg.icon")) if (icon.getAttribute("aria-hidden") !== "true") faults.push(`icon is read: ${say(icon)}`);
  for (const hidden of all("[aria-hidden=true]")) {
    if (hidden.querySelector("a[href], button:not([tabindex='-1']), input")) faults.push(`focus inside hidden: ${say(hidden)}`);
  }
  if (document.querySelector("[tabindex]:not([tabindex='0']):not([tabindex='-1'])")) faults.push("tabindex above 0");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) faults.push(`id used twice: ${id}`);

  // Targets are at least 24 px; links within a sentence are as high as their line.
  for (const target of all("a[href], button, summary, input:not([type=hidden]), select, textarea")) {
    const box = target.getBoundingClientRect();
    const inText = target.closest("p, li, .prose, .lede") && getComputedStyle(target).display === "inline";
    const unseen = box.width <= 1 || target.matches(".visually-hidden, .skip, .pick input");
    const label = target.labels?.[0]?.getBoundingClientRect();
    if (!inText && !unseen && box.height < 24 && !(label?.height >= 20)) faults.push(`${Math.round(box.height)} px high: ${say(target)}`);
  }
  return faults;
}
