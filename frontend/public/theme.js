// Runs before the first paint, so that a saved theme never flashes. The page's policy allows no inline script,
// which is why this is a file.
(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem('callboard.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    if (localStorage.getItem('callboard.sidebar') === 'collapsed') root.dataset.sidebar = 'collapsed';
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
