// Follows one answer: applies the events of its stream to the page, and comes back by itself when the line breaks.
import { decorate } from "./chat-copy.js";
import { refreshList } from "./chat-list.js";
import { connection } from "./chat-net.js";
import { grown } from "./chat-scroll.js";
import { running } from "./chat-state.js";

const words = document.querySelector("[data-status]");
const TITLE_WAITS_MS = [2000, 6000, 20000];
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
    if (this.thinkBox) {
      this.thinkSince = Date.now() - Number(article.dataset.age) * 1000;
      if (this.position.split(".")[0] !== "0") this.thoughts = words.dataset.thoughts;
      this.count();
    }
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

  // The browser tries again by itself after a broken line; only a refusal closes the source for good. Whoever is no
  // longer signed in, or has deleted the chat elsewhere, is told so by the server when the page loads again.
  async lost() {
    connection(true);
    if (this.source.readyState !== EventSource.CLOSED) return;
    const answer = await fetch(this.article.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.status === 401 || answer?.status === 404) return location.reload();
    this.again(BACK_OFF_MS[Math.min(this.failures++, BACK_OFF_MS.length - 1)]);
  }

  again(wait) {
    this.source.close();
    setTimeout(() => this.open(), wait);
  }

  online() {
    this.failures = 0;
    connection(false);
  }

  setText(text) {
    this.text = text;
    const caret = this.tail.querySelector(".caret");
    this.tail.textContent = text;
    this.tail.append(caret ?? makeCaret());
    if (text) this.begun();
  }

  snapshot({ html, tail, reasoning, waiting }) {
    for (const node of [...this.prose.childNodes]) if (node !== this.tail) node.remove();
    this.thinkBox?.remove();
    if (html || tail) this.thoughts ??= words.dataset.thoughts;
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
    if (!html) return;
    this.tail.insertAdjacentHTML("beforebegin", html);
    decorate(this.prose);
    this.begun();
  }

  get thinkBox() {
    return this.article.querySelector("details.think");
  }

  think(text) {
    this.wait("");
    if (!this.thinkBox) {
      this.prose.before(document.getElementById("think-box").content.cloneNode(true));
      this.thinkSince ??= Date.now();
    }
    this.thinkBox.querySelector(".think-body").append(text);
    this.count();
  }

  // How long it has been thinking, by the second, until the answer begins.
  count() {
    if (!this.thoughts) this.clock ??= setInterval(() => this.count(), 1000);
    this.label(this.thoughts ?? this.seconds(words.dataset.thinkingFor));
    if (this.thoughts) this.thinkBox.open = false;
  }

  seconds(sentence) {
    return sentence.replace("{seconds}", Math.max(1, Math.round((Date.now() - this.thinkSince) / 1000)));
  }

  label(text) {
    this.thinkBox.querySelector("summary span").textContent = text;
  }

  // The answer begins: the wait is over, the thinking is folded away.
  begun() {
    this.wait("");
    if (this.thoughts || !this.thinkBox) return;
    this.thoughts = this.seconds(words.dataset.thoughtFor);
    this.stopClock();
    this.label(this.thoughts);
    this.thinkBox.open = false;
  }

  stopClock() {
    clearInterval(this.clock);
  }

  wait(text) {
    this.article.querySelector("[data-wait]").textContent = text;
  }

  waiting({ seconds }) {
    this.wait(words.dataset.waiting.replace("{seconds}", seconds));
  }

  async done({ state, html }) {
    this.source.close();
    this.stopClock();
    this.block({ html, tail: "" });
    connection(false);
    words.textContent = words.dataset[state] ?? words.dataset.ended;
    this.tail.querySelector(".caret")?.remove();
    await this.replace();
    running.delete(this.article);
    refreshList();
    // The title of a new chat is asked for only now, and comes a little later.
    if ("bringsTitle" in this.article.dataset) for (const wait of TITLE_WAITS_MS) setTimeout(refreshList, wait);
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
