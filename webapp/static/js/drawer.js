// The sidebar: a drawer on small screens, put away or shown on large ones.
// The very same <nav> moves into a modal dialog, so that focus is trapped and Esc closes it.

const HIDDEN = "side-hidden";
const root = document.documentElement;
const nav = document.querySelector("[data-drawer-source]");
const wide = matchMedia("(min-width: 64rem)");
let dialog = null;

function open() {
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.className = "drawer";
    dialog.setAttribute("aria-label", nav.getAttribute("aria-label"));
    dialog.addEventListener("close", putBack);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("a[href]")) dialog.close();
    });
    document.body.append(dialog);
  }
  const place = document.createComment("sidebar");
  nav.replaceWith(place);
  dialog.place = place;
  dialog.append(nav);
  dialog.showModal();
}

// A browser may forbid storage; then the choice holds for this page.
function remember(value) {
  try {
    if (value !== undefined) localStorage.setItem(HIDDEN, value);
    return localStorage.getItem(HIDDEN);
  } catch {
    return null;
  }
}

function putBack() {
  dialog.place.replaceWith(nav);
  document.querySelector("[data-drawer-open]")?.focus();
}

if (nav) {
  if (remember()) root.classList.add(HIDDEN);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-drawer-open]")) {
      event.preventDefault();
      open();
    } else if (event.target.closest("[data-side-toggle]")) {
      if (dialog?.open) return dialog.close();
      remember(root.classList.toggle(HIDDEN) ? "1" : "");
      [...document.querySelectorAll("[data-side-toggle]")].find((button) => button.offsetParent)?.focus();
    }
  });
  wide.addEventListener("change", () => dialog?.open && dialog.close());
}
