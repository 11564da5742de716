"use strict";
(() => {
  const select = (one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const said = button.textContent;
    button.hidden = false;
    button.addEventListener("click", () => {
      // Works from a file and without a permission, where the clipboard's own interface may be refused.
      select(document.getElementById(button.dataset.copies));
      if (!document.execCommand("copy")) return;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = said; }, 2000);
    });
  }
  // Letters are there to be read and sent, on paper too. What else is shut stays shut.
  const printed = "details.letter:not([open]), details.few:not([open])";
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = [...document.querySelectorAll(printed)];
    for (const one of shut) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of shut) one.open = false; });
})();
