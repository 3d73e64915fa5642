// Draws strips of cells over time: heat maps (darker is more) and state timelines (one colour a state).
"use strict";

const watchkeeperCells = (() => {
  const NARROW_LEFT = 72; // heat maps: "≤ 250 ms"
  const WIDE_LEFT = 190; // state timelines: a job and an address
  const BOTTOM = 20;
  const FONT = "11px system-ui, sans-serif";

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function painter(cells) {
    if (cells.states.length) {
      const levels = new Map(cells.states.map((state) => [state.value, state.level]));
      return (value) => ({ colour: token(`--${levels.get(value)}`), strength: 0.85 });
    }
    const largest = Math.max(...cells.strips.flatMap((strip) => strip.values.map((v) => v ?? 0)));
    // Logarithmic: one slow request among thousands must still be seen.
    const scale = Math.log1p(largest * 1000) || 1;
    return (value) => ({ colour: token("--line-1"), strength: 0.12 + (0.88 * Math.log1p(value * 1000)) / scale });
  }

  // A phone must keep room for the strips.
  const leftOf = (cells, width) => Math.min(cells.states.length ? WIDE_LEFT : NARROW_LEFT, width * 0.4);

  function drawStrip(context, strip, box, paint) {
    const step = box.width / strip.values.length;
    strip.values.forEach((value, at) => {
      if (value === null) return;
      const { colour, strength } = paint(value);
      context.globalAlpha = strength;
      context.fillStyle = colour;
      context.fillRect(box.left + at * step, box.top, Math.ceil(step), Math.max(box.height - 1, 1));
    });
    context.globalAlpha = 1;
  }

  function shortened(context, text, width) {
    let shown = text;
    while (shown.length > 3 && context.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
    return shown;
  }

  function drawTimes(context, cells, left, width, height) {
    const [first, last] = [cells.timestamps[0], cells.timestamps.at(-1)];
    context.fillStyle = token("--muted");
    context.textAlign = "center";
    const count = Math.max(2, Math.floor((width - left) / 90));
    for (let at = 1; at < count; at += 1) {
      const moment = new Date((first + ((last - first) * at) / count) * 1000);
      const words = moment.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
      context.fillText(words, left + ((width - left) * at) / count, height - 5);
    }
  }

  function wordOf(cells, value) {
    if (value === null) return "no data";
    const state = cells.states.find((one) => one.value === value);
    return state ? state.word : `${Number(value.toPrecision(3))} a second`;
  }

  function tellUnder(canvas, cells, left, rowHeight) {
    canvas.addEventListener("mousemove", (event) => {
      const strip = cells.strips[Math.floor(event.offsetY / rowHeight)];
      const step = (canvas.clientWidth - left) / cells.timestamps.length;
      const at = Math.floor((event.offsetX - left) / step);
      if (!strip || at < 0 || at >= cells.timestamps.length) {
        canvas.title = "";
        return;
      }
      const time = new Date(cells.timestamps[at] * 1000).toLocaleTimeString(undefined, { hour12: false });
      canvas.title = `${strip.label}, ${time}: ${wordOf(cells, strip.values[at])}`;
    });
  }

  // The last word on each strip, for those who cannot see its colours.
  function describe(cells) {
    if (!cells.states.length) return `${cells.strips.length} bands`;
    return cells.strips.map((strip) => `${strip.label}: ${wordOf(cells, strip.values.findLast((v) => v !== null) ?? null)}`).join("; ");
  }

  function draw(element, cells) {
    const rows = cells.strips.length;
    const width = element.clientWidth || 400;
    const left = leftOf(cells, width);
    const rowHeight = cells.states.length ? 20 : Math.max(6, Math.min(20, 150 / rows));
    const height = rows * rowHeight + BOTTOM;
    const canvas = document.createElement("canvas");
    const ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.className = "cells";
    canvas.setAttribute("height", String(height * ratio));
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = FONT;
    const paint = painter(cells);
    cells.strips.forEach((strip, at) => {
      const top = at * rowHeight;
      drawStrip(context, strip, { left, top, height: rowHeight, width: width - left }, paint);
      if (rowHeight < 11 && at % 2) return;
      context.fillStyle = token("--muted");
      context.textAlign = "right";
      context.fillText(shortened(context, strip.label, left - 8), left - 6, top + rowHeight / 2 + 4);
    });
    drawTimes(context, cells, left, width, height);
    tellUnder(canvas, cells, left, rowHeight);
    const words = document.createElement("p");
    words.className = "unseen";
    words.textContent = describe(cells);
    element.replaceChildren(canvas, words);
  }

  return { draw };
})();
