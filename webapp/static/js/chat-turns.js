// Turns that the server has stored, put into the page: a new one, or a new answer in the place of the old.
import { decorate } from "./chat-copy.js";
import { follow } from "./chat-live.js";
import { toEnd } from "./chat-scroll.js";
import { post } from "./http.js";
import { toast } from "./toasts.js";

// Resolves with the data of an envelope; throws an Error with a sentence for the person.
export async function ask(url, fields, failed) {
  let response;
  try {
    response = await post(url, fields);
  } catch {
    throw new Error(failed);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Error(body?.message ?? failed);
  return body.data;
}

function parse(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  return box.content.firstElementChild;
}

export function show(turn) {
  const element = parse(turn);
  document.querySelector("[data-turns]").append(element);
  const earlier = element.previousElementSibling;
  earlier?.querySelectorAll("form[data-redo], .ask-foot, .foot [data-menu]").forEach((each) => each.remove());
  decorate(element);
  const article = element.querySelector("article[data-events]");
  if (article) follow(article);
  toEnd();
}

export async function redo(form) {
  const article = form.closest("article");
  const failed = document.querySelector("[data-composer]").dataset.failed;
  try {
    const { answer_html } = await ask(form.action, Object.fromEntries(new FormData(form)), failed);
    const fresh = parse(answer_html);
    article.replaceWith(fresh);
    decorate(fresh);
    if (fresh.dataset.events) follow(fresh);
    toEnd();
  } catch (error) {
    toast(error.message);
  }
}
