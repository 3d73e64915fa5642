// Times in the viewer's zone; the UTC the server wrote stays in the title.
"use strict";

(() => {
  const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const otherDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
  const SPANS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function span(seconds) {
    let left = Math.max(0, Math.round(seconds));
    const parts = [];
    for (const [name, size] of SPANS) {
      const count = Math.floor(left / size);
      left -= count * size;
      if (count) parts.push(`${count} ${name}`);
      else if (parts.length) break;
    }
    return parts.slice(0, 2).join(" ") || "0 s";
  }

  function write(element) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) return;
    if ("ago" in element.dataset) {
      element.textContent = `${span((Date.now() - moment) / 1000)} ago`;
      return;
    }
    const isToday = moment.toDateString() === new Date().toDateString();
    element.textContent = (isToday ? today : otherDay).format(moment);
  }

  function writeAll(root) {
    root.querySelectorAll("time[datetime]").forEach(write);
  }

  document.addEventListener("DOMContentLoaded", () => writeAll(document));
  document.addEventListener("htmx:afterSwap", (event) => writeAll(event.target));
  document.addEventListener("alive", (event) => {
    const stamp = document.querySelector("time[data-asof]");
    if (!stamp) return;
    stamp.dateTime = event.detail;
    write(stamp);
  });
  setInterval(() => document.querySelectorAll("time[data-ago]").forEach(write), 1000);
})();
