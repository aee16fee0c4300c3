// Follows one answer: applies the events of its stream to the page, and comes back by itself when the line breaks.
import { decorate } from "./chat-copy.js";
import { refreshList } from "./chat-list.js";
import { grown } from "./chat-scroll.js";
import { running } from "./chat-state.js";

const words = document.querySelector("[data-status]");
const net = document.querySelector("[data-net]");
const composer = document.querySelector("[data-composer]");
const BACK_OFF_MS = [500, 1000, 2000, 5000, 10000];

export function follow(article) {
  new Follower(article).open();
}

class Follower {
  constructor(article) {
    this.article = article;
    this.prose = article.querySelector("[data-prose]");
    this.tail = article.querySelector("[data-tail]");
    this.position = article.dataset.after;
    this.failures = 0;
    this.began = Date.now();
    this.setText(this.tail.textContent);
    running.add(article);
    words.textContent = words.dataset.answering;
  }

  open() {
    const url = `${this.article.dataset.events}?after=${encodeURIComponent(this.position)}`;
    const source = (this.source = new EventSource(url));
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.position = event.lastEventId;
        act.call(this, JSON.parse(event.data));
        grown();
      });
    source.addEventListener("open", () => this.online());
    source.addEventListener("error", () => this.lost());
    on("snapshot", this.snapshot);
    on("delta", ({ t }) => this.setText(this.text + t));
    on("block", this.block);
    on("reasoning", ({ t }) => this.think(t));
    on("waiting", this.waiting);
    on("done", this.done);
    on("reconnect", () => this.again(200));
  }

  // The browser tries again by itself after a broken line; only a refusal closes the source for good.
  lost() {
    this.say(navigator.onLine ? composer?.dataset.lost : composer?.dataset.offline);
    if (this.source.readyState === EventSource.CLOSED) {
      const wait = BACK_OFF_MS[Math.min(this.failures++, BACK_OFF_MS.length - 1)];
      this.again(wait);
    }
  }

  again(wait) {
    this.source.close();
    setTimeout(() => this.open(), wait);
  }

  online() {
    this.failures = 0;
    this.say("");
  }

  say(text) {
    if (!net) return;
    net.hidden = !text;
    net.querySelector("span").textContent = text ?? "";
  }

  setText(text) {
    this.text = text;
    const caret = this.tail.querySelector(".caret");
    this.tail.textContent = text;
    this.tail.append(caret ?? makeCaret());
  }

  snapshot({ html, tail, reasoning, waiting }) {
    for (const node of [...this.prose.childNodes]) if (node !== this.tail) node.remove();
    this.article.querySelector("details.think")?.remove();
    if (reasoning) this.think(reasoning);
    this.addHtml(html);
    this.setText(tail);
    if (waiting) this.waiting({ seconds: waiting });
  }

  block({ html, tail }) {
    this.addHtml(html);
    this.setText(tail);
  }

  // The server's own sanitised HTML, put before the raw tail.
  addHtml(html) {
    this.settle();
    this.tail.insertAdjacentHTML("beforebegin", html);
    decorate(this.prose);
  }

  think(text) {
    let box = this.article.querySelector("details.think");
    if (!box) {
      box = document.getElementById("think-box").content.firstElementChild.cloneNode(true);
      this.prose.before(box);
    }
    box.querySelector(".think-body").append(text);
    this.settle();
  }

  // The answer begins: the wait is over, the thinking is folded away.
  settle() {
    this.article.querySelector("[data-wait]").textContent = "";
    if (this.text || this.prose.childElementCount > 1) this.article.querySelector("details.think")?.removeAttribute("open");
  }

  waiting({ seconds }) {
    this.article.querySelector("[data-wait]").textContent = words.dataset.waiting.replace("{seconds}", seconds);
  }

  async done({ state, html }) {
    this.source.close();
    this.block({ html, tail: "" });
    this.say("");
    words.textContent = state === "stopped" ? words.dataset.stopped : words.dataset.complete;
    this.tail.querySelector(".caret")?.remove();
    await this.replace();
    running.delete(this.article);
    refreshList();
  }

  // The finished answer as the server shows it: ending, what can be done, what it took.
  async replace() {
    for (const wait of [0, ...BACK_OFF_MS]) {
      await new Promise((go) => setTimeout(go, wait));
      try {
        const response = await fetch(this.article.dataset.url, { headers: { Accept: "text/html" } });
        if (!response.ok) continue;
        const box = document.createElement("template");
        box.innerHTML = await response.text();
        const fresh = box.content.querySelector("article");
        const open = this.article.querySelector("details.think")?.open;
        this.article.replaceWith(fresh);
        running.delete(this.article);
        this.article = fresh;
        const think = fresh.querySelector("details.think");
        if (think && open) think.open = true;
        decorate(fresh);
        if (fresh.dataset.events) follow(fresh);
        grown();
        return;
      } catch {
        continue;
      }
    }
  }
}

function makeCaret() {
  const caret = document.createElement("i");
  caret.className = "caret";
  caret.setAttribute("aria-hidden", "true");
  return caret;
}
