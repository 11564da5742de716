"use strict";
(() => {
  const two = (number) => String(number).padStart(2, "0");
  const day = (at) => `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  for (const one of document.querySelectorAll("time[datetime]")) {
    const at = new Date(one.dateTime);
    const ahead = -at.getTimezoneOffset();
    if (!ahead) continue;
    const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
    const zone = `UTC${ahead < 0 ? "\u2212" : "+"}${hours}${minutes ? `:${two(minutes)}` : ""}`;
    const date = one.dateTime.slice(5, 10) === day(at) ? "" : `${day(at)} `;
    const own = document.createElement("span");
    own.className = "own";
    own.textContent = `(${date}${two(at.getHours())}:${two(at.getMinutes())} ${zone})`;
    one.after(" ", own);
  }
})();
