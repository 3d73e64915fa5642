// A changed choice is shown at once; without this script the button does it.
"use strict";

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (form) form.requestSubmit();
});
