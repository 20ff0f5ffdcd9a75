// Look at what others did, without knowing who: confirm it, put something right in its place, or reject it.
import { Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { html } from "../shell.js";
import { useMemo } from "../vendor.js";
import { Choose, chooseForm, chooseLeft } from "./choose.js";
import { Critique, critiqueForm, critiqueLeft } from "./critique.js";
import { Grade, gradeForm, gradeLeft } from "./grade.js";
import { Rate, rateForm, rateLeft } from "./rate.js";
import { Answer, Item } from "./shown.js";
import { Tamper, tamperForm, tamperLeft } from "./tamper.js";

const INNER = {
  tamper: { bench: Tamper, form: tamperForm, left: tamperLeft },
  rate: { bench: Rate, form: rateForm, left: rateLeft },
  write: { bench: Critique, form: critiqueForm, left: critiqueLeft },
  team: { bench: Critique, form: critiqueForm, left: critiqueLeft },
  compare: { bench: Choose, form: chooseForm, left: chooseLeft },
  judge: { bench: Choose, form: chooseForm, left: chooseLeft },
  grade: { bench: Grade, form: gradeForm, left: gradeLeft },
};
const VERDICTS = [["confirmed", "It is right", "a"], ["corrected", "I put it right", "e"], ["rejected", "It is of no use", "x"]];

export const emptyRecheck = (/** @type {any} */ view) => ({ verdict: null, choice: view.work.length === 1 ? view.work[0].slot : null, form: null, reason: "" });

/** What is checked, as a seat of its kind. @param {any} seat */
const inner = (seat) => ({ ...seat, kind: seat.view.kind, view: seat.view.view, first_pass: null });

/** @param {any} data @param {any} seat */
export function recheckForm(data, seat) {
  const { form } = /** @type {any} */ (INNER)[seat.view.kind];
  return { ...data, form: data.verdict === "corrected" && data.form ? form(data.form, inner(seat)) : null };
}

/** @param {any} data @param {any} seat */
export function recheckLeft(data, seat) {
  const { left } = /** @type {any} */ (INNER)[seat.view.kind];
  return [
    ...(data.verdict === null ? ["Say whether it is right."] : []),
    ...(data.verdict === "confirmed" && data.choice === null ? ["Choose which of them is right."] : []),
    ...(data.verdict && data.verdict !== "confirmed" && !data.reason.trim() ? ["Say what is wrong with it."] : []),
    ...(data.verdict === "corrected" && data.form ? left(data.form, inner(seat)) : []),
  ];
}

/** @param {{held: import("../held.js").Held, seat: any}} props */
export function Recheck({ held, seat }) {
  const { kind, view, work } = seat.view;
  const form = held.form.value;
  const { bench } = /** @type {any} */ (INNER)[kind];
  const chosen = work.find((/** @type {any} */ one) => one.slot === form.choice) ?? work[0];
  const verdict = (/** @type {string} */ value) =>
    held.edit({ verdict: value, ...(value === "corrected" && !form.form ? { form: chosen.form } : {}) });
  // The bench of what is checked writes into the correction.
  const within = useMemo(() => ({ form: { get value() { return held.form.value.form; } }, edit: (/** @type {any} */ change) => held.edit({ form: { ...held.form.value.form, ...change } }) }), [held]);

  useKeys([
    ...VERDICTS.map(([value, says, key]) => ({ key: form.verdict === "corrected" ? `Alt+${key.toUpperCase()}` : key, does: says, run: () => verdict(value) })),
    ...(form.verdict === "corrected" ? [] : work.map((/** @type {any} */ one, /** @type {number} */ i) => ({ key: `${i + 1}`, does: `Choose ${i + 1}`, run: () => held.edit({ choice: one.slot }) }))),
  ]);

  return html`<div class="recheck">
    <p class="quiet">What was handed in as <b>${kind}</b>. Who did it is not told.</p>
    <div role="radiogroup" aria-label="Is it right?" class="steps-wide">
      ${VERDICTS.map(([value, says, key]) => html`<button role="radio" aria-checked=${form.verdict === value ? "true" : "false"} onClick=${() => verdict(value)}>${says} <kbd aria-hidden="true">${form.verdict === "corrected" ? `Alt+${key.toUpperCase()}` : key}</kbd></button>`)}
    </div>
    <${Words} label="Why?" value=${form.reason} onInput=${(/** @type {string} */ reason) => held.edit({ reason })} />
    ${form.verdict !== "corrected" && html`<div class="bench">
      <section class="left" aria-label="What it is about">
        <${Item} view=${kind === "tamper" ? { question: view.task.question } : view} />
      </section>
      <section class="right" aria-label="What was handed in">
        ${work.map((/** @type {any} */ one, /** @type {number} */ i) => html`<article class="critique ${work.length > 1 && form.choice === one.slot ? "lit" : ""}">
          ${work.length > 1 && html`<label class="check"><input type="radio" name="choice" checked=${form.choice === one.slot} onChange=${() => held.edit({ choice: one.slot })} /> ${i + 1} is right</label>`}
          <${Answer} kind=${kind} view=${view} form=${one.form} />
        </article>`)}
      </section>
    </div>`}
    ${form.verdict === "corrected" && form.form && html`<${bench} held=${within} seat=${inner(seat)} inside=${true} />`}
  </div>`;
}
