// Draws every element with data-chart from the JSON of that address, and keeps it up to date.
"use strict";

(() => {
  const REFRESH_SECONDS = 10; // where the page says nothing of it
  const PALETTE = 8;
  const SI = ["", "k", "M", "G", "T"];
  const IEC = ["B", "KiB", "MiB", "GiB", "TiB"];
  const drawn = new Map(); // element -> {plot, data}

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function digits(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size < 0.001) return value.toPrecision(2);
    return size < 1000 ? String(Number(value.toPrecision(3))) : value.toFixed(0);
  }

  function scaled(value, base, names) {
    let size = value;
    let step = 0;
    while (Math.abs(size) >= base && step < names.length - 1) {
      size /= base;
      step += 1;
    }
    return `${digits(size)}${names[step] && base === 1024 ? " " : ""}${names[step]}`;
  }

  const SPANS = [[172800, 86400, "d"], [7200, 3600, "h"], [120, 60, "min"], [1, 1, "s"]];

  function span(seconds) {
    if (seconds === 0) return "0";
    const [, size, name] = SPANS.find(([from]) => Math.abs(seconds) >= from) ?? [0, 0.001, "ms"];
    return `${digits(seconds / size)} ${name}`;
  }

  function amount(value, unit) {
    if (value === null || value === undefined) return "–";
    switch (unit) {
      case "s": return span(value);
      case "percentunit": return `${digits(value * 100)} %`;
      case "bytes": return scaled(value, 1024, IEC);
      case "Bps": return `${scaled(value, 1024, IEC)}/s`;
      default: return scaled(value, 1000, SI);
    }
  }

  // A line through a single point cannot be seen.
  const isLonely = (values) => values.filter((value) => value !== null).length === 1;

  const strokeOf = (at) => token(`--line-${(at % PALETTE) + 1}`);

  function seriesOf(chart) {
    let colour = 0;
    const lines = chart.lines.map((line) => {
      const last = line.values.findLast((value) => value !== null);
      // Of the line itself: what is drawn of a stacked one is a running sum.
      const told = (unit) => (_, __, ___, at) => amount(at === null ? last : line.values[at], unit);
      const base = {
        label: line.label,
        value: told(chart.unit),
        points: { show: isLonely(line.values), size: 5 },
      };
      switch (line.role) {
        case "lower":
        case "upper": return { ...base, stroke: "transparent", width: 0 };
        // The score has a scale of its own: above 1 is anomalous.
        case "score": return { ...base, scale: "score", stroke: token("--warning"), width: 1, dash: [2, 3], value: told("none") };
        case "expected": return { ...base, stroke: token("--muted"), width: 1, dash: [5, 5] };
        default: {
          const stroke = strokeOf(colour);
          colour += 1;
          return { ...base, stroke, width: 1.75, fill: chart.stacked && colour === 1 ? `${stroke}40` : undefined };
        }
      }
    });
    return [{ label: "time" }, ...lines];
  }

  // What a stacked line adds is filled down to the line below it, so that colours do not mix.
  function stackedBands(chart) {
    return chart.lines.slice(1).map((_, at) => ({ series: [at + 2, at + 1], fill: `${strokeOf(at + 1)}40` }));
  }

  function bandsOf(chart) {
    if (chart.stacked) return stackedBands(chart);
    const at = (role) => chart.lines.findIndex((line) => line.role === role) + 1;
    const [lower, upper] = [at("lower"), at("upper")];
    return lower && upper ? [{ series: [upper, lower], fill: token("--band") }] : [];
  }

  // Stacked lines are drawn as running sums, topmost first in the list of bands.
  function valuesOf(chart) {
    const columns = chart.lines.map((line) => line.values);
    if (!chart.stacked) return columns;
    const sums = chart.timestamps.map(() => 0);
    return columns.map((values) => values.map((v, i) => (v === null ? null : (sums[i] += v))));
  }

  function thresholdLines(chart) {
    return {
      hooks: {
        draw: [(plot) => {
          const { left, width } = plot.bbox;
          const context = plot.ctx;
          context.save();
          context.setLineDash([6, 4]);
          for (const { at, level } of chart.thresholds) {
            const y = Math.round(plot.valToPos(at, "y", true));
            if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue;
            context.strokeStyle = token(`--${level}`);
            context.beginPath();
            context.moveTo(left, y);
            context.lineTo(left + width, y);
            context.stroke();
          }
          context.restore();
        }],
      },
    };
  }

  function markLines() {
    return {
      hooks: {
        draw: [(plot) => {
          const { left, top, width, height } = plot.bbox;
          const context = plot.ctx;
          context.save();
          context.setLineDash([3, 3]);
          for (const { at, level } of watchkeeperMarks.all()) {
            const x = Math.round(plot.valToPos(at, "x", true));
            if (x < left || x > left + width) continue;
            context.strokeStyle = token(`--${level}`);
            context.beginPath();
            context.moveTo(x, top);
            context.lineTo(x, top + height);
            context.stroke();
          }
          context.restore();
        }],
      },
    };
  }

  // Tick labels as fine as the ticks are: seconds only where minutes would repeat.
  function clock(at, stepSeconds) {
    const moment = new Date(at * 1000);
    const two = (number) => String(number).padStart(2, "0");
    if (stepSeconds >= 86400) return `${two(moment.getDate())}/${two(moment.getMonth() + 1)}`;
    const time = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
    return stepSeconds < 60 ? `${time}:${two(moment.getSeconds())}` : time;
  }

  // Bytes are read in powers of two; ticks between them are odd numbers.
  const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
  // Seconds in tenths below a minute, and in what divides an hour or a day above it.
  const TENTHS = [-6, -5, -4, -3, -2, -1, 0].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
  const SPAN_STEPS = [...TENTHS, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, ...Array.from({ length: 12 }, (_, power) => 86400 * 2 ** power)];
  const INCREMENTS = { bytes: BINARY_STEPS, Bps: BINARY_STEPS, s: SPAN_STEPS };

  function axes(chart) {
    const common = {
      stroke: token("--muted"),
      grid: { stroke: token("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    return [
      { ...common, space: 70, size: 26, values: (_, splits, __, ___, step) => splits.map((at) => clock(at, step)) },
      { ...common, space: 24, size: 62, incrs: INCREMENTS[chart.unit], values: (_, splits) => splits.map((v) => amount(v, chart.unit)) },
    ];
  }

  // A line alone in its band, or with nothing but the labels that stand beside it, is named already.
  function legendOf(chart) {
    const isNamed = chart.lines.length > 1 || !/=|^value$/.test(chart.lines[0].label);
    return isNamed && chart.lines.every((line) => line.role === "line");
  }

  function hideBandFromLegend(plot, chart) {
    const rows = plot.root.querySelectorAll(".u-legend .u-series");
    chart.lines.forEach((line, at) => {
      if (line.role === "lower" || line.role === "upper") rows[at + 1]?.classList.add("edge");
    });
  }

  function draw(element, chart) {
    drawn.get(element)?.plot?.destroy();
    element.replaceChildren();
    if (chart.kind === "cells") {
      drawCells(element, chart);
      return;
    }
    if (!chart.lines.some((line) => line.values.some((value) => value !== null))) {
      say(element, chart.note ?? element.dataset.empty ?? "No data in this range.");
      return;
    }
    const options = {
      width: element.clientWidth || 400,
      height: Number(getComputedStyle(element).getPropertyValue("--chart-height")) || 170,
      series: seriesOf(chart),
      bands: bandsOf(chart),
      axes: axes(chart),
      scales: { score: { range: (_, low, high) => [0, Math.min(Math.max(2, high ?? 0), 10)] }, y: { range: (_, low, high) => paddedRange(low, high, chart) } },
      legend: { show: legendOf(chart), live: true },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      plugins: [thresholdLines(chart), markLines()],
    };
    const plot = new uPlot(options, [chart.timestamps, ...valuesOf(chart)], element);
    hideBandFromLegend(plot, chart);
    drawn.set(element, { plot, chart });
  }

  function drawCells(element, chart) {
    if (!chart.strips.some((strip) => strip.values.some((value) => value !== null))) {
      say(element, element.dataset.empty ?? "No data in this range.");
      return;
    }
    watchkeeperCells.draw(element, chart);
    drawn.set(element, { plot: null, chart });
  }

  function paddedRange(low, high, chart) {
    if (low === null || high === null) return [0, 1];
    if (low === 0 && high === 0) return [0, 1.25 * (chart.thresholds.find(({ at }) => at > 0)?.at ?? 0.8)];
    const floor = low >= 0 && low < high * 0.5 ? 0 : low;
    const room = (high - floor) * 0.1 || Math.abs(high) * 0.1 || 1;
    return [floor === 0 ? 0 : floor - room, high + room];
  }

  function say(element, text) {
    drawn.get(element)?.plot?.destroy();
    drawn.delete(element);
    const note = document.createElement("p");
    note.className = "waiting";
    note.textContent = text;
    element.replaceChildren(note);
  }

  async function load(element) {
    try {
      const answer = await fetch(element.dataset.chart, { headers: { Accept: "application/json" } });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error?.message ?? `the console answered ${answer.status}`);
      if (element.isConnected) draw(element, body);
    } catch (error) {
      if (element.isConnected) say(element, `Cannot be drawn: ${error.message}`);
    }
  }

  const isShown = (element) => !element.closest("details.row:not([open])");

  function loadNew(root) {
    for (const element of drawn.keys()) {
      if (!element.isConnected) {
        drawn.get(element).plot?.destroy();
        drawn.delete(element);
      }
    }
    root.querySelectorAll("[data-chart]").forEach((element) => {
      if (!element.dataset.loaded && isShown(element)) {
        element.dataset.loaded = "yes";
        load(element);
      }
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    loadNew(document);
    const seconds = Number(document.querySelector("[data-refresh-seconds]")?.dataset.refreshSeconds ?? REFRESH_SECONDS);
    if (!seconds) return; // somebody looks at what is past, or wants it to stand still
    setInterval(() => {
      if (!document.hidden) [...document.querySelectorAll("[data-chart]")].filter(isShown).forEach(load);
    }, seconds * 1000);
  });
  // "toggle" does not bubble: a row that is opened draws its charts then.
  document.addEventListener("toggle", (event) => loadNew(event.target), true);
  document.addEventListener("htmx:afterSettle", () => loadNew(document));
  window.addEventListener("resize", () => {
    for (const [element, { plot, chart }] of [...drawn]) {
      if (plot) plot.setSize({ width: element.clientWidth, height: plot.height });
      else draw(element, chart);
    }
  });
  document.addEventListener("marked", () => {
    for (const { plot } of drawn.values()) plot?.redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [element, { chart }] of [...drawn]) draw(element, chart);
  });
})();
