// A run's page: lines and progress as they come, filters of the log, and the parts that change when the run does.
const box = document.querySelector("[data-run]");
const log = box.querySelector("[data-log]");
const following = box.querySelector("[data-following]");
const MOST_LINES = 5000;
const caret = document.createElement("i");
caret.className = "caret";
caret.setAttribute("aria-hidden", "true");

const follows = () => following.getAttribute("aria-pressed") === "true";
const follow = (on) => following.setAttribute("aria-pressed", String(on));
const toEnd = () => follows() && (log.scrollTop = log.scrollHeight);
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 24;

following.addEventListener("click", () => {
  follow(!follows());
  toEnd();
});
log.addEventListener("scroll", () => follow(atEnd()));

for (const button of box.querySelectorAll("[data-level]")) {
  button.addEventListener("click", () => {
    for (const each of box.querySelectorAll("[data-level]")) each.setAttribute("aria-pressed", String(each === button));
    log.classList.toggle("only-bad", button.dataset.level === "warnings");
    toEnd();
  });
}

function add(lines) {
  for (const { at, level, kind, text } of lines) {
    const row = document.createElement("div");
    row.className = kind;
    for (const words of [at, level, text]) row.append(Object.assign(document.createElement("span"), { textContent: words }));
    row.children[1].className = "lv";
    log.append(row);
  }
  while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
  log.lastElementChild?.lastElementChild.append(caret);
  toEnd();
}

// The parts of the page that tell of the run, as the server shows them now.
async function refresh() {
  const response = await fetch(box.dataset.run, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (other) part.replaceWith(other);
  }
}

function progress({ state, percent, text, words }) {
  const bar = box.querySelector("progress");
  if (state !== box.dataset.state || !bar || (percent !== null) !== bar.hasAttribute("value")) {
    box.dataset.state = state;
    return refresh();
  }
  if (percent !== null) {
    bar.value = percent;
    box.querySelector(".steps .num").textContent = `${percent}%`;
    box.querySelector(".steps .quiet").textContent = words;
  }
  if (text) box.querySelector(".steps b").textContent = text;
}

let after = box.dataset.after;

function open() {
  const source = new EventSource(`${box.dataset.events}?after=${after}`);
  const on = (name, act) =>
    source.addEventListener(name, (event) => {
      if (event.lastEventId) after = event.lastEventId;
      act(JSON.parse(event.data));
    });
  on("lines", add);
  on("run", progress);
  on("done", async () => {
    source.close();
    caret.remove();
    await refresh();
    const status = box.querySelector("[data-status]");
    status.textContent = status.dataset.ended;
  });
  on("reconnect", () => {
    source.close();
    setTimeout(open, 500);
  });
  // The browser comes back by itself after a broken line; a refusal is told by the page when it loads again.
  source.addEventListener("error", () => source.readyState === EventSource.CLOSED && setTimeout(() => location.reload(), 2000));
}

toEnd();
if (box.dataset.events) {
  log.lastElementChild?.lastElementChild.append(caret);
  open();
}
