// Parts of forms that several screens have.
import { here, html } from "./shell.js";
import { visible } from "./text.js";

export const CATEGORIES = (here.categories ?? "other").split(",");
export const SEVERITIES = ["low", "medium", "high"];
const STEPS = [1, 2, 3, 4, 5, 6, 7];

/** Steps from 1 to 7, and perhaps none. @param {{name: string, label: string, value: number | null | undefined,
 *   onPick: (value: number | null) => void, none?: boolean, low?: string, high?: string, active?: boolean,
 *   onFocus?: () => void, hideLabel?: boolean, disabled?: boolean}} props */
export function Scale({ name, label, value, onPick, none = false, low, high, active, onFocus, hideLabel, disabled }) {
  const steps = none ? [...STEPS, null] : STEPS;
  const at = value === undefined ? undefined : value;
  const roving = steps.findIndex((step) => step === at);
  return html`<div class="scale ${active ? "active" : ""}" role="radiogroup" aria-label=${label} data-scale=${name}>
    ${!hideLabel && html`<span class="label">${label}</span>`}
    <span class="steps">
      ${low && html`<span class="anchor">${low}</span>`}
      ${steps.map(
        (step, i) => html`<button
          type="button" role="radio" aria-checked=${at === step ? "true" : "false"} disabled=${disabled}
          tabindex=${i === Math.max(0, roving) ? 0 : -1} aria-label=${step === null ? "can't say" : `${step}`}
          onClick=${() => onPick(step)} onFocus=${onFocus}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => alone(event, steps, i, onPick)}
        >${step ?? "–"}</button>`,
      )}
      ${high && html`<span class="anchor">${high}</span>`}
    </span>
  </div>`;
}

/** A scale that stands alone takes digits and arrows itself. @param {KeyboardEvent} event @param {(number|null)[]} steps
 * @param {number} i @param {(value: number | null) => void} onPick */
function alone(event, steps, i, onPick) {
  const group = /** @type {HTMLElement} */ (event.currentTarget).closest(".scale");
  const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key] ?? 0;
  const to = move ? (i + move + steps.length) % steps.length : steps.indexOf(Number(event.key) || null);
  if (!move && (to < 0 || !/^[0-7]$/.test(event.key))) return;
  event.preventDefault();
  onPick(steps[to]);
  /** @type {HTMLElement | undefined} */ (group?.querySelectorAll("[role=radio]")[to])?.focus();
}

/** @param {{label: string, value: string, options: string[], onPick: (value: string) => void, disabled?: boolean}} props */
export const Choice = ({ label, value, options, onPick, disabled }) => html`<label class="choice">
  <span>${label}</span>
  <select value=${value} disabled=${disabled} onChange=${(/** @type {any} */ e) => onPick(e.target.value)}>
    ${options.map((one) => html`<option value=${one} selected=${one === value}>${one}</option>`)}
  </select>
</label>`;

/** @param {{label: string, value: string, onInput: (value: string) => void, rows?: number, hint?: string, disabled?: boolean}} props */
export const Words = ({ label, value, onInput, rows = 2, hint, disabled }) => html`<label class="words">
  <span>${label}${hint && html` <span class="quiet">${hint}</span>`}</span>
  <textarea rows=${rows} disabled=${disabled} value=${value} onInput=${(/** @type {any} */ e) => onInput(e.target.value)}></textarea>
</label>`;

/** What the server did not accept. @param {{errors: any[]}} props */
export const Errors = ({ errors }) =>
  errors.length > 0 &&
  html`<ul class="errors" role="alert">${errors.map((one) => html`<li>${visible(one.detail)}</li>`)}</ul>`;

/** One comment, to be read. @param {{comment: any, number?: any, lit?: boolean, onPick?: () => void, unweighed?: boolean, children?: any}} props
 * `unweighed`: how severe it is, is not shown. */
export const Comment = ({ comment, number, lit, onPick, unweighed, children }) => html`<li
  class="comment ${unweighed ? "" : comment.severity} ${lit ? "lit" : ""}" onClick=${onPick}>
  <p class="head">
    ${number !== undefined && html`<span class="number">${number}</span>`}
    ${!unweighed && html`<span class="severity">${comment.severity}</span>`}
    ${comment.category && comment.category !== "other" && html`<span class="quiet">${comment.category}</span>`}
    ${children}
  </p>
  <p class="text">${visible(comment.text ?? comment.description)}</p>
  ${comment.suggestion != null && html`<pre class="fix"><code>${visible(comment.suggestion) || "(delete it)"}</code></pre>`}
</li>`;

/** How a program ran. @param {{title: string, run: any}} props */
export function Ran({ title, run }) {
  const good = run.status === "passed" || (run.status === "ok" && !run.exit_code);
  return html`<div class="ran ${good ? "good" : "bad"}">
    <p class="head"><b>${title}</b> <span class="verdict">${good ? "✓" : "✗"} ${run.status}</span> <span class="quiet">${run.seconds.toFixed(2)} s</span></p>
    ${run.stdout && html`<pre>${visible(run.stdout)}</pre>`}
    ${run.stderr && html`<pre class="stderr">${visible(run.stderr)}</pre>`}
    ${!run.stdout && !run.stderr && html`<p class="quiet">No output.</p>`}
  </div>`;
}

/** The task's words, which fold away. @param {{question: string}} props */
export const Question = ({ question }) => html`<details class="question" open=${question.length < 600}>
  <summary>Task</summary>
  <p class="text">${visible(question)}</p>
</details>`;
