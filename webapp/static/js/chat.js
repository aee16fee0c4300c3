// The chat page: the composer, live answers, copying, the list.
import "./chat-composer.js";
import "./chat-copy.js";
import "./chat-list.js";
import { follow } from "./chat-live.js";
import { redo } from "./chat-turns.js";

for (const article of document.querySelectorAll("article[data-events]")) follow(article);

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-redo]");
  if (!form) return;
  event.preventDefault();
  redo(form);
});

// A page that comes back from the browser's cache is not what the server has now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("article[data-events]")) location.reload();
});
