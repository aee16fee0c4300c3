// The list of conversations: older ones load in place, and it is brought up to date after an answer.

const list = document.querySelector("[data-chat-list]");

list?.addEventListener("click", async (event) => {
  const more = event.target.closest("a[data-more]");
  if (!more) return;
  event.preventDefault();
  const html = await fragment(more.href);
  if (html === null) location.assign(more.href);
  else more.insertAdjacentHTML("afterend", html), more.remove();
  dropRepeatedLabels();
});

export async function refreshList() {
  if (!list) return;
  const html = await fragment(list.dataset.chatList);
  if (html === null) return;
  list.innerHTML = html;
  const here = document.querySelector("[data-composer] [name=conversation]")?.value;
  const item = here && list.querySelector(`[data-conversation="${CSS.escape(here)}"]`);
  if (!item) return;
  item.setAttribute("aria-current", "page");
  const title = document.querySelector("[data-title]");
  if (title) title.textContent = item.querySelector("span").textContent;
}

async function fragment(url) {
  const address = new URL(url, location.href);
  address.searchParams.set("fragment", "1");
  const response = await fetch(address).catch(() => null);
  return response?.ok ? response.text() : null;
}

function dropRepeatedLabels() {
  let last = "";
  for (const label of list.querySelectorAll(".side-label")) {
    if (label.textContent === last) label.remove();
    else last = label.textContent;
  }
}
