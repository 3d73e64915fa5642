// Say so when the console itself stops answering: a page that silently stands still is a lie.
"use strict";

(() => {
  const show = (lost) => {
    document.getElementById("connection").hidden = !lost;
    document.body.classList.toggle("stale", lost);
  };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, () => show(true));
  }
  document.addEventListener("htmx:afterSwap", () => show(false));
})();
