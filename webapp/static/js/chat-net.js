// The line above the composer that says whether the page is cut off from the server.
import { running } from "./chat-state.js";

const line = document.querySelector("[data-net]");
let lost = false;

export function connection(isLost) {
  lost = isLost;
  tell();
}

function tell() {
  if (!line) return;
  const { offline, idle, lost: broken } = line.dataset;
  const text = navigator.onLine ? lost && broken : running.last ? offline : idle;
  line.hidden = !text;
  line.querySelector("[data-words]").textContent = text || "";
}

addEventListener("online", tell);
addEventListener("offline", tell);
