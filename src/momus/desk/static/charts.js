// Figures as SVG: intervals on a common scale, and points with intervals both ways.
import { html, narrow } from "./shell.js";
import { visible } from "./text.js";

/** @typedef {{mean: number | null, low: number | null, high: number | null, n?: number}} Figure */

/** Round numbers between two ends, some five. @param {number} low @param {number} high */
function ticks(low, high) {
  const raw = (high - low || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return found;
}

/** A critic's name without the address of its server, and not too long. @param {string} name */
const brief = (name) => {
  const bare = name.replace(/@https?:.*/, "");
  const most = narrow.value ? 12 : 24;
  return bare.length > most ? `${bare.slice(0, most - 1)}…` : bare;
};

/** @param {number} value */
const short = (value) => (Math.abs(value) >= 10 ? value.toFixed(0) : `${Math.round(value * 100) / 100}`);

/**
 * A row for each name: a dot, and the interval as a line.
 * @param {{label: string, rows: {name: string, figure: Figure, note?: string}[], low?: number, high?: number, share?: boolean}} props
 */
export function Intervals({ label, rows, low, high, share = false }) {
  const known = rows.filter((row) => row.figure.mean !== null);
  const ends = known.flatMap((row) => [row.figure.low ?? row.figure.mean, row.figure.high ?? row.figure.mean, row.figure.mean]);
  const from = Math.min(low ?? 0, ...ends.map(Number));
  const to = Math.max(high ?? 0, ...ends.map(Number));
  const [left, right, width, step] = narrow.value ? [105, 190, 340, 26] : [170, 560, 640, 26];
  const x = (/** @type {number | null} */ value) => left + ((Number(value) - from) / (to - from || 1)) * (right - left);
  const height = rows.length * step + 30;
  const said = (/** @type {number | null} */ value) => (value === null ? "–" : share ? `${Math.round(value * 100)}%` : short(value));
  return html`<svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${`${label}: ${rows.map((row) => `${row.name} ${said(row.figure.mean)}`).join(", ")}`}>
    ${ticks(from, to).map((tick) => html`<line class="axis" x1=${x(tick)} x2=${x(tick)} y1="4" y2=${height - 22} /><text x=${x(tick)} y=${height - 8} text-anchor="middle">${said(tick)}</text>`)}
    ${rows.map((row, i) => {
      const y = i * step + 17;
      return html`<text class="name" x=${left - 12} y=${y + 4} text-anchor="end">${visible(brief(row.name))}</text>
        ${row.figure.mean !== null && html`<line class="bar-line" x1=${x(row.figure.low ?? row.figure.mean)} x2=${x(row.figure.high ?? row.figure.mean)} y1=${y} y2=${y} />
          <circle class="dot" cx=${x(row.figure.mean)} cy=${y} r="4.5" />`}
        <text x=${right + 14} y=${y + 4}>${said(row.figure.mean)}${row.note ? ` ${row.note}` : row.figure.n !== undefined ? `  n ${row.figure.n}` : ""}</text>`;
    })}
  </svg>`;
}

/** Those that no other beats both ways: more caught and fewer spurious. @param {any[]} points */
const front = (points) =>
  points.filter((one) => !points.some((other) => other !== one && other.x <= one.x && other.y >= one.y && (other.x < one.x || other.y > one.y))).sort((a, b) => a.x - b.x);

/** @typedef {{name: string, x: Figure, y: Figure}} Point */

/** Those that could serve somebody: rated both ways. `gold` wrote the bug itself down, and is nobody's to have. @param {Point[]} points */
export const serving = (points) => points.filter((one) => one.x?.mean != null && one.y?.mean != null && one.name !== "gold");

/**
 * The critic that catches most of those within a budget of spurious critiques, and the more sparing one where two catch
 * as much; null where none is within it.
 * @param {Point[]} points @param {number} budget from 0 to 1 @returns {Point | null}
 */
export const within = (points, budget) =>
  serving(points)
    .filter((one) => Number(one.x.mean) <= budget)
    .sort((a, b) => Number(b.y.mean) - Number(a.y.mean) || Number(a.x.mean) - Number(b.x.mean))[0] ?? null;

/** Caught against spurious, both from 0 to 1. @param {{label: string, points: Point[], budget: number}} props */
export function Tradeoff({ label, points, budget }) {
  const known = points.filter((one) => one.x?.mean != null && one.y?.mean != null);
  const [left, right, top, bottom, width] = narrow.value ? [42, 325, 10, 240, 340] : [50, 600, 10, 300, 640];
  const px = (/** @type {number | null} */ value) => left + Number(value) * (right - left);
  const py = (/** @type {number | null} */ value) => bottom - Number(value) * (bottom - top);
  const labels = /** @type {{x: number, y: number}[]} */ ([]);
  const labelAt = (/** @type {any} */ one) => {
    const flip = px(one.x.mean) > (left + right) / 2; // a name at the right end would run out of the figure
    const at = { x: px(one.x.mean) + (flip ? -9 : 9), y: py(one.y.mean) - 7, anchor: flip ? "end" : "start" };
    while (labels.some((other) => Math.abs(other.x - at.x) < 150 && Math.abs(other.y - at.y) < 13)) at.y += 14;
    labels.push(at);
    return at;
  };
  const served = within(known, budget);
  const edge = front(known.map((one) => ({ x: Number(one.x.mean), y: Number(one.y.mean) })));
  return html`<svg viewBox=${`0 0 ${width} ${bottom + 45}`} role="img" aria-label=${`${label}: ${known.map((one) => `${one.name} caught ${Math.round(Number(one.y.mean) * 100)}%, spurious ${Math.round(Number(one.x.mean) * 100)}%`).join("; ")}`}>
    ${[0, 0.25, 0.5, 0.75, 1].map((tick) => html`<line class="axis" x1=${px(tick)} x2=${px(tick)} y1=${top} y2=${bottom} /><line class="axis" x1=${left} x2=${right} y1=${py(tick)} y2=${py(tick)} />
      <text x=${px(tick)} y=${bottom + 16} text-anchor="middle">${tick * 100}%</text><text x=${left - 8} y=${py(tick) + 4} text-anchor="end">${tick * 100}%</text>`)}
    <text x=${(left + right) / 2} y=${bottom + 36} text-anchor="middle">${narrow.value ? "with a nitpick or a made-up problem →" : "critiques with a nitpick or a made-up problem →"}</text>
    <rect class="beyond" x=${px(budget)} y=${top} width=${right - px(budget)} height=${bottom - top} />
    <line class="budget" x1=${px(budget)} x2=${px(budget)} y1=${top} y2=${bottom} />
    <polyline class="front" points=${edge.map((one) => `${px(one.x)},${py(one.y)}`).join(" ")} />
    ${known.map((one) => ({ ...one, at: labelAt(one) })).map((one) => html`<line class="soft" x1=${px(one.x.low)} x2=${px(one.x.high)} y1=${py(one.y.mean)} y2=${py(one.y.mean)} />
      <line class="soft" x1=${px(one.x.mean)} x2=${px(one.x.mean)} y1=${py(one.y.low)} y2=${py(one.y.high)} />
      <circle class=${`dot ${one.name === served?.name ? "chosen" : ""}`} cx=${px(one.x.mean)} cy=${py(one.y.mean)} r=${one.name === served?.name ? 7 : 5} />
      <text class="name" x=${one.at.x} y=${one.at.y} text-anchor=${one.at.anchor}>${visible(brief(one.name))}</text>`)}
  </svg>`;
}
