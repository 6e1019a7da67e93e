// Before anything is drawn: light or dark, rows near or far, as was chosen here or as the system is.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @param {string} name */
  const chosen = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const apply = () => {
    document.documentElement.dataset.theme = chosen("theme") ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.density = chosen("density") ?? "normal";
  };
  system.addEventListener("change", apply);
  apply();
})();
