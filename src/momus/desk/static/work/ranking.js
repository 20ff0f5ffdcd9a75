// An order of slots in tiers, best first: by drag, by buttons, by keys.
import { Hint, html } from "../shell.js";
import { useSignal } from "../vendor.js";

/** @typedef {string[][]} Order */

/** @param {Order} order @param {string} slot */
const without = (order, slot) => order.map((tier) => tier.filter((one) => one !== slot)).filter((tier) => tier.length);

/** A slot one place up (-1) or down (1); out of a tie first. @param {Order} order @param {string} slot @param {number} by @returns {Order} */
export function moved(order, slot, by) {
  const at = order.findIndex((tier) => tier.includes(slot));
  if (at < 0) return [...order, [slot]];
  const alone = order[at].length === 1;
  const rest = without(order, slot);
  const to = Math.max(0, Math.min(rest.length, alone ? at + by : by < 0 ? at : at + 1));
  return [...rest.slice(0, to), [slot], ...rest.slice(to)];
}

/** Tie a slot with what stands above it; a tied one comes out of its tie. @param {Order} order @param {string} slot @returns {Order} */
export function tied(order, slot) {
  const at = order.findIndex((tier) => tier.includes(slot));
  if (at >= 0 && order[at].length > 1) return moved(order, slot, 1);
  if (!order.length) return [[slot]];
  const above = at < 0 ? order.length - 1 : at - 1;
  if (above < 0) return order;
  return order.map((tier, i) => (i === above ? [...tier, slot] : tier)).filter((tier, i) => i !== at || at < 0);
}

/** @param {Order} order @param {string} slot @param {number} at @param {boolean} tie @returns {Order} */
function dropped(order, slot, at, tie) {
  if (tie && order[at]?.includes(slot)) return order;
  const target = order[at];
  const rest = without(order, slot);
  if (tie) return rest.map((tier) => (tier.some((one) => target.includes(one)) ? [...tier, slot] : tier));
  const before = order.slice(0, at).filter((tier) => tier.some((one) => one !== slot)).length;
  return [...rest.slice(0, before), [slot], ...rest.slice(before)];
}

/** Slots by their overall scores, the highest first; equal ones tie. @param {string[]} slots @param {(slot: string) => number | null | undefined} score
 * @returns {Order} */
export function byScore(slots, score) {
  const tiers = new Map();
  for (const slot of slots) {
    const value = score(slot);
    if (value != null) tiers.set(value, [...(tiers.get(value) ?? []), slot]);
  }
  return [...tiers.entries()].sort((a, b) => b[0] - a[0]).map(([, tier]) => tier);
}

/** Pairs that the order puts against the scores. @param {Order} order @param {(slot: string) => number | null | undefined} score */
export function against(order, score) {
  const found = [];
  for (let i = 0; i < order.length; i++)
    for (let j = i + 1; j < order.length; j++)
      for (const a of order[i])
        for (const b of order[j]) {
          const [above, below] = [score(a), score(b)];
          if (above != null && below != null && above < below) found.push([a, b]);
        }
  return found;
}

/** @param {{order: Order, slots: string[], nameOf: (slot: string) => string, focus: string, onOrder: (order: Order) => void,
 *   onFocus: (slot: string) => void, onScores: () => void}} props */
export function Ranking({ order, slots, nameOf, focus, onOrder, onFocus, onScores }) {
  const over = useSignal("");
  const drag = useSignal("");
  const placed = order.flat();
  const pool = slots.filter((slot) => !placed.includes(slot));

  const target = (/** @type {number} */ at, /** @type {boolean} */ tie) => ({
    onDragOver: (/** @type {DragEvent} */ e) => {
      e.preventDefault();
      over.value = `${at} ${tie}`;
    },
    onDragLeave: () => (over.value = ""),
    onDrop: (/** @type {DragEvent} */ e) => {
      e.preventDefault();
      over.value = "";
      if (drag.value) onOrder(dropped(order, drag.value, at, tie));
    },
  });
  const chip = (/** @type {string} */ slot) => html`<span
    class="chip ${slot === focus ? "lit" : ""}" draggable="true" data-chip=${nameOf(slot)}
    onDragStart=${(/** @type {DragEvent} */ e) => { e.dataTransfer?.setData("text/plain", nameOf(slot)); drag.value = slot; }}
    onDragEnd=${() => (drag.value = "")} onClick=${() => onFocus(slot)}
  >${nameOf(slot)}</span>`;
  const gap = (/** @type {number} */ at) => html`<li class="gap ${over.value === `${at} false` ? "over" : ""}" data-gap=${at} aria-hidden="true" ...${target(at, false)}></li>`;

  return html`<div class="ranking">
    <ol aria-label="Ranking, best first">
      ${order.map(
        (tier, at) => html`${gap(at)}
          <li class="tier ${over.value === `${at} true` ? "over" : ""}" data-tier=${at} ...${target(at, true)}>
            <span class="place">${at + 1}</span>
            ${tier.map((slot, i) => html`${i > 0 && html`<span class="quiet">=</span>`}${chip(slot)}`)}
          </li>`,
      )}
      ${gap(order.length)}
    </ol>
    ${pool.length > 0 && html`<div class="pool"><span class="quiet">Not ranked:</span> ${pool.map(chip)}</div>`}
    <div class="row wrap">
      <button onClick=${() => onOrder(moved(order, focus, -1))}>↑ <span class="unsaid">Move ${nameOf(focus)} up</span> <${Hint} k="Shift+K" /></button>
      <button onClick=${() => onOrder(moved(order, focus, 1))}>↓ <span class="unsaid">Move ${nameOf(focus)} down</span> <${Hint} k="Shift+J" /></button>
      <button onClick=${() => onOrder(tied(order, focus))}>= <span class="unsaid">Tie ${nameOf(focus)} with the one above</span> <${Hint} k="t" /></button>
      <button onClick=${onScores}>By overall <${Hint} k="o" /></button>
    </div>
  </div>`;
}
