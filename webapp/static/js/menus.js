// <details data-menu>: closed by Esc, by a click elsewhere and by another menu; arrows walk through it.
// data-menu="float" keeps the panel out of a scrolling parent that would cut it off.

const rows = "a[href], button:not(:disabled)";
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]") ?? openMenus()[0];
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelector(".menu").querySelectorAll(rows)];
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = items.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length;
    items[next]?.focus();
    event.preventDefault();
  }
});

// The toggle event does not bubble, so it is caught on its way down.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.open && target.dataset.menu === "float") float(target);
  },
  true,
);

document.addEventListener(
  "scroll",
  ({ target }) => {
    for (const menu of document.querySelectorAll("details[data-menu=float][open]")) {
      if (target.contains(menu)) menu.open = false;
    }
  },
  true,
);

function float(menu) {
  const panel = menu.querySelector(".menu");
  const anchor = menu.querySelector("summary").getBoundingClientRect();
  panel.style.position = "fixed";
  const below = anchor.bottom + panel.offsetHeight + 8 < innerHeight;
  panel.style.top = `${below ? anchor.bottom + 4 : Math.max(4, anchor.top - panel.offsetHeight - 4)}px`;
  panel.style.bottom = "auto";
  panel.style.right = "auto";
  panel.style.left = `${Math.max(4, Math.min(anchor.left, innerWidth - panel.offsetWidth - 4))}px`;
}
