// Short messages at the bottom that pass by themselves; they stay while pointed at or focused.

const SHOWN_MS = 6000;
const box = document.querySelector("[data-toasts]");

export function toast(text, { undo } = {}) {
  if (!box) return;
  const note = document.createElement("div");
  note.className = "toast-note";
  note.textContent = text;
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = box.dataset.undo;
    button.addEventListener("click", () => {
      note.remove();
      undo();
    });
    note.append(button);
  }
  box.append(note);
  passing(note);
}

function passing(note) {
  let timer = 0;
  const start = () => (timer = setTimeout(() => note.remove(), SHOWN_MS));
  const hold = () => clearTimeout(timer);
  note.addEventListener("pointerenter", hold);
  note.addEventListener("focusin", hold);
  note.addEventListener("pointerleave", start);
  note.addEventListener("focusout", start);
  start();
}

for (const note of box?.children ?? []) passing(note);
