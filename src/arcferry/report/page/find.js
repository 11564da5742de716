"use strict";
(() => {
  for (const button of document.querySelectorAll("button[data-unfolds]")) {
    const said = button.textContent;
    let opened = [];
    button.hidden = false;
    button.addEventListener("click", () => {
      const whole = document.body.classList.toggle("whole");
      if (whole) opened = [...document.querySelectorAll("details:not([open])")];
      for (const one of opened) one.open = whole;
      button.textContent = whole ? button.dataset.done : said;
    });
  }
  for (const field of document.querySelectorAll("input[data-finds]")) {
    const rows = [...document.querySelectorAll(`#${field.dataset.finds} tbody tr`)];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    field.closest("p").hidden = false;
    field.addEventListener("input", () => {
      const sought = field.value.trim().toLowerCase();
      rows.forEach((row, place) => { row.hidden = !texts[place].includes(sought); });
    });
  }
})();
