// Rows that can be checked: the bar with what to do appears once one is, and says how many are.
for (const form of document.querySelectorAll("form[data-selection]")) watch(form);

function watch(form) {
  const bar = form.querySelector("[data-selection-bar]");
  if (!bar) return;
  const all = document.querySelector("[data-select-all]");
  const count = form.querySelector("[data-selection-count]");
  const rows = () => [...form.elements].filter((each) => each.name === "user");
  const show = () => {
    const checked = rows().filter((box) => box.checked);
    for (const box of rows()) box.closest("tr").setAttribute("aria-selected", String(box.checked));
    bar.hidden = !checked.length;
    count.textContent = count.dataset.words.replace("{count}", checked.length);
    all.checked = checked.length > 0 && checked.length === rows().length;
    all.indeterminate = checked.length > 0 && !all.checked;
  };
  document.addEventListener("change", (event) => {
    if (event.target === all) for (const box of rows()) box.checked = all.checked;
    if (event.target === all || event.target.form === form) show();
  });
  form.addEventListener("reset", () => setTimeout(show));
  addEventListener("pageshow", show);
  show();
}
