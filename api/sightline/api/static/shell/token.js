// Who asks: the token that a person gave, kept for this tab, sent as a header with every request.

import { h, put, tell } from "../parts/dom.js";

const NAME = "sightline-token";
/** @type {Promise<boolean> | null} */
let asking = null;

const token = () => sessionStorage.getItem(NAME) ?? "";

/**
 * Fetch; where the service wants to know who asks, ask the person for a token, and again.
 * Whoever gives none gets the answer 401.
 * @param {string} url
 * @param {RequestInit} [options]
 */
export async function fetched(url, options = {}) {
  for (;;) {
    const used = token();
    const headers = { ...options.headers, ...(used ? { Authorization: `Bearer ${used}` } : {}) };
    const response = await fetch(url, { ...options, headers });
    if (response.status !== 401) return response;
    asking ??= signIn(used !== "").finally(() => { asking = null; });
    if (token() === used && !(await asking)) return response;
  }
}

/** Ask for a token; whether one was given. @param {boolean} again the one before was wrong */
function signIn(again) {
  return new Promise((/** @type {(given: boolean) => void} */ resolve) => {
    const input = h("input", { type: "password", id: "token", name: "token", autocomplete: "current-password", required: true, spellcheck: "false" });
    const dialog = h("dialog", { class: "signin", "aria-labelledby": "signin-title", onclose: () => { dialog.remove(); resolve(dialog.returnValue === "given"); } });
    const form = h("form", { onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      sessionStorage.setItem(NAME, input.value.trim());
      dialog.close("given");
    } });
    put(form, h("h2", { id: "signin-title" }, "Sign in"),
      h("p", { role: again ? "alert" : null }, again ? "This token is wrong, has expired, or was taken back. " : "This service answers those who have a token. ", "Whoever runs it makes one with ", h("code", {}, "sightline token create"), "."),
      h("label", { for: "token" }, "Token"), input,
      h("p", { class: "quiet" }, "It is kept for this tab, until you close it."),
      h("div", { class: "ends" }, h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, "Not now"), h("button", { class: "button main" }, "Sign in")));
    put(dialog, form);
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}

// A link to a file cannot send a header: where a token is needed, the file is fetched and saved.
document.addEventListener("click", async (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!token() || !link?.getAttribute("href")?.startsWith("/v1/")) return;
  event.preventDefault();
  const response = await fetched(link.href).catch(() => null);
  if (!response) return tell("No answer from the service: nothing was saved");
  const name = link.download || link.pathname.split("/").pop() || "answer";
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: response.ok ? decodeURIComponent(name) : "problem.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
});
