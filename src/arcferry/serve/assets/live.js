"use strict";
// Says that what is shown may be old while the server is not heard.
(() => {
  const show = (lost) => { document.getElementById("lost").hidden = !lost; };
  let over = false;
  document.addEventListener("htmx:sseError", () => show(!over));
  document.addEventListener("htmx:sseOpen", () => show(false));
  document.addEventListener("htmx:sseClose", () => { over = true; show(false); });
})();
