// A changed choice is shown at once; without this script the button does it.
"use strict";

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (form) form.requestSubmit();
});

// Narrows a list to what contains the words typed.
document.addEventListener("input", (event) => {
  const list = document.getElementById(event.target.dataset?.filters ?? "");
  if (!list) return;
  const wanted = event.target.value.toLowerCase();
  for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(wanted);
});

// Ctrl or Cmd with Enter asks, as people are used to.
document.addEventListener("keydown", (event) => {
  const isAsking = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (isAsking && event.target.matches("textarea.code")) event.target.form.requestSubmit();
});
