// Requests that change something, with the page's CSRF token.

export function csrfToken() {
  return document.querySelector("input[name=csrf_token]")?.value ?? "";
}

// Posts fields as a form does; resolves with the Response, rejects only when nothing came back.
export function post(url, fields = {}, { accept = "application/json", signal } = {}) {
  const body = new URLSearchParams(fields);
  body.set("csrf_token", csrfToken());
  return fetch(url, { method: "POST", body, signal, headers: { Accept: accept } });
}
