// Rows that can be ticked: the bar above them says how many are, and is there only then.
for (const form of document.querySelectorAll("form[data-picks]")) {
  const bar = form.querySelector("[data-picks-bar]");
  if (!bar) continue;
  const count = bar.querySelector("[data-picks-count]");
  const tell = () => {
    const ticked = form.querySelectorAll("input[type=checkbox]:checked");
    for (const row of form.querySelectorAll("tbody tr")) {
      row.setAttribute("aria-selected", String(!!row.querySelector("input:checked")));
    }
    bar.hidden = !ticked.length;
    count.textContent = count.dataset.picksCount.replace("{count}", ticked.length);
  };
  form.addEventListener("change", tell);
  form.addEventListener("reset", () => setTimeout(tell));
  addEventListener("pageshow", tell);
  tell();
}
