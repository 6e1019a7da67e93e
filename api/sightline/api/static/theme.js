// Before anything is drawn: light or dark, as was chosen here or as the system is.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = () => { document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light"); };
  system.addEventListener("change", apply);
  apply();
})();
