"use strict";
(() => {
  const two = (number) => String(number).padStart(2, "0");
  const day = (at) => `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const beside = (one) => {
    one.dataset.seen = "";
    const at = new Date(one.dateTime);
    const ahead = -at.getTimezoneOffset();
    if (!ahead) return;
    const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
    const zone = `UTC${ahead < 0 ? "\u2212" : "+"}${hours}${minutes ? `:${two(minutes)}` : ""}`;
    const date = one.dateTime.slice(5, 10) === day(at) ? "" : `${day(at)} `;
    const seconds = one.dateTime.length > "2026-11-30T04:05Z".length ? `:${two(at.getSeconds())}` : "";
    const own = document.createElement("span");
    own.className = "own";
    own.textContent = `(${date}${two(at.getHours())}:${two(at.getMinutes())}${seconds} ${zone})`;
    one.after(" ", own);
  };
  const all = () => document.querySelectorAll("time[datetime]:not([data-seen])").forEach(beside);
  all();
  // What the live page puts in its place later has times too.
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
})();
