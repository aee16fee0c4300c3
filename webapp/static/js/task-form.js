// The schedule's next times, shown while it is being typed; without script a button shows them.
const form = document.querySelector("form[data-schedule]");
const place = form.querySelector("[data-preview]");
form.querySelector("[data-preview-button]").hidden = true;
let waiting;
let asked = 0;

async function show() {
  const number = ++asked;
  const response = await fetch(form.dataset.schedule, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (!response?.ok || number !== asked) return;
  place.innerHTML = await response.text();
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 250);
});
show();
