// Requests to our own server: the form token goes along, an ended session is told apart.
const meta = (name) => document.querySelector(`meta[name="${name}"]`);

export const csrf = () => meta("csrf")?.content ?? "";
export const root = () => meta("root")?.content ?? "";
export function setCsrf(token) {
  meta("csrf").content = token;
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = token;
}

/** POST `body`; the answer is a Response. Rejects only when the server can't be reached. */
export function post(url, body) {
  return fetch(url, { method: "POST", body, headers: { "X-Guicheng-Fetch": "1", "X-CSRF-Token": csrf(), Accept: "application/json, text/html" } });
}

/** The token of whoever is signed in now in this browser, taken over when it is the person this page belongs to. */
export async function freshToken(person) {
  const response = await fetch(`${root()}/me/csrf`, { headers: { "X-Guicheng-Fetch": "1" } });
  if (!response.ok) return false;
  const answer = await response.json();
  if (person && answer.person !== person) return false;
  setCsrf(answer.csrf);
  return true;
}
