// What every page gets on top of plain HTML. Each behaviour is asked for by a data attribute in the page.
import "./drawer.js";
import "./forms.js";
import "./menus.js";
import "./toasts.js";

const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });

// A link with data-shortcut is followed by Ctrl (on a Mac, Command) and that key.
const mac = navigator.platform.startsWith("Mac");
for (const key of mac ? document.querySelectorAll("kbd[data-mac]") : []) key.textContent = key.dataset.mac;
document.addEventListener("keydown", (event) => {
  if (!(mac ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey) return;
  const link = document.querySelector(`a[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!link) return;
  event.preventDefault();
  const field = document.querySelector("form[role=search] input");
  if (field) field.focus();
  else link.click();
});

on("click", "[data-back]", () => history.back());

on("click", "[data-dialog-open]", (opener, event) => {
  const dialog = document.getElementById(opener.dataset.dialogOpen);
  if (!dialog) return;
  event.preventDefault();
  const menu = opener.closest("details[data-menu]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus(); // which the focus returns to; the opener is hidden then
  }
  dialog.showModal();
});

on("click", "[data-dialog-close]", (closer, event) => {
  event.preventDefault();
  closer.closest("dialog").close();
});

// A click on the backdrop reaches the dialog itself; one that began inside (marking text) does not count.
on("pointerdown", "dialog.sheet", (dialog, event) => {
  dialog.dataset.outside = event.target === dialog && outside(dialog, event) ? "yes" : "";
});
on("click", "dialog.sheet", (dialog, event) => {
  if (event.target === dialog && dialog.dataset.outside && outside(dialog, event)) dialog.close();
});

function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

// Times that are shown in the device's zone, where the server knows none of the reader's.
for (const time of document.querySelectorAll("time[data-local-time]")) {
  const style = { dateStyle: "medium", timeStyle: "short" };
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(time.dateTime));
}

// A form may ask for the device's zone, to set it on a new account.
for (const field of document.querySelectorAll("input[data-timezone]")) {
  if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
