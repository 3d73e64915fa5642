// Keeps an open page up to date: the console says when something changed, and the page asks again.
// When the console stops answering, the page says so: one that silently stands still is a lie.
"use strict";

(() => {
  const GRACE_MS = 5000;
  let lostTimer = null;

  function showLost(lost) {
    document.getElementById("connection").hidden = !lost;
    document.body.classList.toggle("stale", lost);
  }

  function lose() {
    lostTimer ??= setTimeout(() => showLost(true), GRACE_MS);
  }

  function regain() {
    clearTimeout(lostTimer);
    lostTimer = null;
    showLost(false);
  }

  const refresh = () => htmx.trigger(document.body, "changed");

  function poll() {
    setInterval(refresh, Number(document.body.dataset.pollSeconds) * 1000);
  }

  function listen() {
    const events = new EventSource("/events");
    events.addEventListener("open", regain);
    events.addEventListener("changed", () => {
      regain();
      refresh();
    });
    events.addEventListener("alive", (event) => {
      regain();
      document.dispatchEvent(new CustomEvent("alive", { detail: event.data }));
    });
    events.addEventListener("error", () => {
      lose();
      if (events.readyState === EventSource.CLOSED) poll(); // refused: ask instead of being told
    });
  }

  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, lose);
  }
  document.addEventListener("htmx:afterSwap", regain);
  document.addEventListener("DOMContentLoaded", () => {
    if ("live" in document.body.dataset) listen();
  });
})();
