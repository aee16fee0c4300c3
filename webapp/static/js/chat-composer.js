// The composer: Enter sends, Shift+Enter breaks the line, a draft is kept, Stop takes the place of Send.
import { running } from "./chat-state.js";
import { refreshList } from "./chat-list.js";
import { ask, show } from "./chat-turns.js";
import { post } from "./http.js";

const form = document.querySelector("[data-composer]");
if (form) start();

function start() {
  const field = form.elements.text;
  const send = form.querySelector("[data-send]");
  const stop = form.querySelector("[data-stop]");
  const stopForm = document.getElementById("stop-form");
  const error = document.querySelector("[data-composer-error]");
  const draftKey = `draft:${form.dataset.draft}`;
  const idKey = `request:${form.dataset.draft}`;
  let sending = false;

  const tell = (text) => {
    error.hidden = !text;
    error.querySelector("p").textContent = text;
  };
  const fit = () => {
    send.disabled = sending || !field.value.trim();
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
  const keep = () => {
    if (field.value) sessionStorage.setItem(draftKey, field.value);
    else sessionStorage.removeItem(draftKey);
    sessionStorage.removeItem(idKey);
    fit();
  };

  field.value ||= sessionStorage.getItem(draftKey) ?? "";
  field.addEventListener("input", keep);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!send.disabled && !send.hidden) form.requestSubmit();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending || !field.value.trim()) return;
    if (field.value.length > Number(field.dataset.limit)) return tell(form.dataset.tooLong);
    sending = true;
    tell("");
    fit();
    const requestId = sessionStorage.getItem(idKey) ?? crypto.randomUUID?.() ?? String(Math.random()).slice(2).padEnd(12, "0");
    sessionStorage.setItem(idKey, requestId);
    const fields = { ...Object.fromEntries(new FormData(form)), client_request_id: requestId };
    try {
      const stored = await ask(form.action, fields, form.dataset.failed);
      field.value = "";
      keep();
      if (!form.elements.conversation.value) return location.assign(stored.url);
      show(stored.turn_html);
      refreshList();
    } catch (problem) {
      tell(problem.message);
    } finally {
      sending = false;
      fit();
      field.focus();
    }
  });

  running.watch(() => {
    const article = running.last;
    send.hidden = Boolean(article);
    stop.hidden = !article;
    if (article) stopForm.action = article.dataset.stopUrl;
  });
  stopForm.addEventListener("submit", (event) => {
    event.preventDefault();
    post(stopForm.action).catch(() => tell(form.dataset.failed));
  });

  const model = form.querySelector("[data-model]");
  const think = form.querySelector("[data-think]");
  model?.addEventListener("change", () => {
    const { hint, thinking } = model.selectedOptions[0].dataset;
    document.querySelector(".fine [data-hint]").textContent = hint;
    think.hidden = !thinking;
    if (!thinking) think.querySelector("input").checked = false;
  });

  document.addEventListener("click", (event) => {
    const idea = event.target.closest?.("[data-idea]");
    if (!idea) return;
    field.value = idea.dataset.idea;
    keep();
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
  fit();
}
