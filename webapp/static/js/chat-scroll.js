// Keeps the end of the thread in view, but only for a reader who is there.

const thread = document.querySelector("[data-thread]");
const pill = document.querySelector("[data-new-text]");
const NEAR = 80;
let pinned = true;

export const toEnd = () => {
  if (!thread) return;
  pinned = true;
  thread.scrollTop = thread.scrollHeight;
  if (pill) pill.hidden = true;
};

export const grown = () => {
  if (!thread) return;
  if (pinned) thread.scrollTop = thread.scrollHeight;
  else if (pill) pill.hidden = false;
};

thread?.addEventListener(
  "scroll",
  () => {
    pinned = thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR;
    if (pinned && pill) pill.hidden = true;
  },
  { passive: true },
);
pill?.addEventListener("click", toEnd);
if (document.querySelector("[data-turns]") && !location.hash) toEnd();
