// Texts as they are: positions in code points, and characters that would not be seen made visible.
import { h } from "./vendor.js";

/** Format, direction and filler characters, and controls other than tab and line feed. */
export const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

/** @param {number} code */
export const nameOf = (code) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;

/**
 * A text as nodes: it is never read as HTML, and what can't be seen stands there by its code.
 * @param {string | null | undefined} text
 */
export function visible(text) {
  if (!text) return "";
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(UNSEEN)) {
    parts.push(text.slice(from, found.index));
    parts.push(h("span", { class: "unseen" }, nameOf(found[0].codePointAt(0) ?? 0)));
    from = found.index + found[0].length;
  }
  return from ? [...parts, text.slice(from)] : text;
}

/** Turns code points, in which the desk counts, into UTF-16 units, in which scripts do, and back. */
export class Points {
  /** @param {string} text */
  constructor(text) {
    this.length = text.length;
    /** @type {Int32Array | null} */
    this.units = null;
    if (/[\ud800-\udfff]/.test(text)) {
      const units = [];
      let at = 0;
      for (const point of text) {
        units.push(at);
        at += point.length;
      }
      this.units = Int32Array.from([...units, at]);
    }
  }

  /** @param {number} point */
  toUnits(point) {
    const last = this.units ? this.units.length - 1 : this.length;
    const held = Math.max(0, Math.min(point, last));
    return this.units ? this.units[held] : held;
  }

  /** @param {number} unit */
  toPoints(unit) {
    if (!this.units) return unit;
    let low = 0;
    let high = this.units.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle] < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The lines that a place touches, as "12" or "12–14".
 * @param {string} text @param {{start: number, end: number}} place
 */
export function linesOf(text, place) {
  const points = new Points(text);
  const line = (/** @type {number} */ unit) => text.slice(0, unit).split("\n").length;
  const first = line(points.toUnits(place.start));
  const last = line(Math.max(points.toUnits(place.start), points.toUnits(place.end) - 1));
  return first === last ? `${first}` : `${first}–${last}`;
}

/** @param {string} text @param {{start: number, end: number}} place */
export function quoteOf(text, place) {
  const points = new Points(text);
  return text.slice(points.toUnits(place.start), points.toUnits(place.end));
}

/** @param {number} count @param {string} one @param {string} [more] */
export const plural = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

/** How long, in words. @param {number} ms */
export function lasting(ms) {
  const minutes = Math.round(ms / 60000);
  if (minutes < 1) return `${Math.max(0, Math.round(ms / 1000))} s`;
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
