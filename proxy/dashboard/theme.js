// The chosen theme, before the first paint; without a choice the system's counts.
(() => {
  try {
    const chosen = localStorage.getItem('fairlead-theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is switched off: the system's it is.
  }
})();
