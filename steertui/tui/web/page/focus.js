// Give the terminal the focus once textual.js has made it, so that keys need no click.
"use strict";

new MutationObserver((_changes, observer) => {
  const input = document.querySelector(".xterm-helper-textarea");
  if (input) {
    observer.disconnect();
    input.focus();
  }
}).observe(document, { childList: true, subtree: true });
