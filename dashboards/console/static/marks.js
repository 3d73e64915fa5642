// Fetches the moments to be marked on every chart of a page, and lists them in words.
"use strict";

const watchkeeperMarks = (() => {
  const REFRESH_MS = 30000;
  let marks = [];

  function row(mark) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = new Date(mark.at * 1000).toISOString();
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    time.textContent = new Date(mark.at * 1000).toLocaleTimeString(undefined, { hour12: false });
    const words = document.createElement("span");
    words.className = mark.level;
    words.textContent = `${mark.title}: ${mark.text}`;
    item.append(time, words);
    return item;
  }

  function tell(list) {
    list.querySelector("[data-marks-count]").textContent = marks.length ? String(marks.length) : "nothing";
    list.querySelector("ol").replaceChildren(...[...marks].reverse().map(row));
  }

  async function load(list) {
    const answer = await fetch(list.dataset.marks, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      list.querySelector("[data-marks-count]").textContent = "not known, Prometheus cannot be asked";
      return;
    }
    marks = (await answer.json()).marks;
    tell(list);
    document.dispatchEvent(new CustomEvent("marked"));
  }

  document.addEventListener("DOMContentLoaded", () => {
    const list = document.querySelector("[data-marks]");
    if (!list) return;
    load(list);
    setInterval(() => document.hidden || load(list), REFRESH_MS);
  });

  return { all: () => marks };
})();
