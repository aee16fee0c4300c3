// Forms: sent once, passwords that can be looked at, codes that can be pasted, resend with a countdown.
import { post } from "./http.js";

// A busy button shows what is going on and keeps its width. The form is refused a second time, not disabled:
// a disabled button would not send its own name and value.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.dataset.sent) return event.preventDefault();
  if (event.defaultPrevented || !button?.dataset.busy) return;
  form.dataset.sent = "yes";
  button.style.minWidth = `${button.offsetWidth}px`;
  button.before = [...button.childNodes];
  const spinner = document.createElement("i");
  spinner.className = "busy";
  button.replaceChildren(spinner, button.dataset.busy);
  button.setAttribute("aria-busy", "true");
});

// Coming back by the browser's Back button finds the page as it was left: wake it up.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-busy]")) {
    button.replaceChildren(...button.before);
    button.removeAttribute("aria-busy");
  }
});

document.addEventListener("click", (event) => {
  const eye = event.target.closest("[data-show-password]");
  if (!eye) return;
  const field = document.getElementById(eye.dataset.showPassword);
  const show = field.type === "password";
  field.type = show ? "text" : "password";
  eye.setAttribute("aria-pressed", String(show));
  const use = eye.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, show ? "#i-eye-off" : "#i-eye"));
});

// A pasted "073 914" or "073-914", or full-width digits, become the six digits.
document.addEventListener("input", (event) => {
  const length = Number(event.target.dataset?.code);
  if (!length || event.isComposing) return;
  const digits = event.target.value.normalize("NFKC").replace(/\D/g, "").slice(0, length);
  if (digits !== event.target.value) event.target.value = digits;
});

for (const button of document.querySelectorAll("[data-resend]")) countDown(button);

function countDown(button) {
  const label = button.textContent;
  const end = Date.now() + Number(button.dataset.resend) * 1000;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent =
      left > 0 ? button.dataset.wait.replace("{time}", `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`) : label;
    if (left > 0) setTimeout(tick, 1000 - ((Date.now() - end) % 1000 + 1000) % 1000);
  };
  tick();
}

// The theme changes at once; the server is told on the side, and asked the plain way if that fails.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-switch]") || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.documentElement.dataset.bsTheme = theme;
  document.querySelector("meta[name=color-scheme]").content = theme === "auto" ? "light dark" : theme;
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
  post(form.action, { theme }).catch(() => form.submit());
});
