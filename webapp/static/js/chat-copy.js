// Copying: code blocks get their button's label here, an answer is copied as the Markdown it was written in.

const words = document.querySelector("[data-status]");
const label = document.getElementById("copy-button");

export function decorate(root) {
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) {
    button.append(label.content.cloneNode(true));
    button.hidden = false;
  }
}

async function copy(button, text) {
  const shown = button.querySelector("span") ?? words;
  const before = shown.textContent;
  try {
    await navigator.clipboard.writeText(await text());
    shown.textContent = words.dataset.copied;
  } catch {
    shown.textContent = words.dataset.copyFailed;
  }
  setTimeout(() => (shown.textContent = before), 2000);
}

document.addEventListener("click", (event) => {
  const code = event.target.closest?.("button[data-copy]");
  if (code) copy(code, () => code.closest(".code").querySelector("pre").textContent);
  const answer = event.target.closest?.("button[data-copy-answer]");
  if (answer) copy(answer, async () => (await fetch(answer.dataset.copyAnswer)).text());
});

if (label) decorate(document);
