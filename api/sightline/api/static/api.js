// What the page asks of the HTTP API. Knows no element.

let view = new AbortController();
let stats = null;

/** Give up what the view that is left still waits for. */
export function leave() {
  view.abort();
  view = new AbortController();
  stats = null;
}

export class Problem extends Error {
  constructor(report) {
    super(report.detail);
    this.report = report;
  }
}

/** Ask the API. Parameters that are null are left out. */
export async function ask(route, parameters = {}, signal = view.signal) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  let response;
  try {
    response = await fetch(`/v1/${route}?${new URLSearchParams(given)}`, { signal });
    const body = await response.json();
    if (response.ok) return body;
    throw new Problem(body);
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    const detail = response ? `The service answered with status ${response.status}.` : "The service does not answer. Is it still running?";
    throw new Problem({ detail });
  }
}

/** What is served, asked once per view. */
export const served = () => (stats ??= ask("stats"));
