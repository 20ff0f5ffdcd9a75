// Two answers: compare them in seven steps, or judge which one passes its tests. The server fixed whether the critic helps.
import { Code } from "../code.js";
import { Comment, Question, Scale, Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { html } from "../shell.js";
import { linesOf } from "../text.js";
import { useSignal } from "../vendor.js";
import { Program } from "./run.js";

const STEPS = [
  [-3, "A is far better", "A≫"], [-2, "A is better", "A>"], [-1, "A is slightly better", "A≥"], [0, "Equal", "="],
  [1, "B is slightly better", "B≥"], [2, "B is better", "B>"], [3, "B is far better", "B≫"],
];

export const emptyChoice = () => ({ choice: null, confidence: null, why: "", wrong: {} });

/** @param {any} data @param {any} seat */
export const chooseForm = (data, seat) => ({
  choice: data.choice,
  why: data.why,
  wrong: data.wrong ?? {},
  ...(seat.kind === "judge" ? { confidence: data.confidence ?? null } : {}),
});

/** @param {any} data @param {any} seat */
export const chooseLeft = (data, seat) => [
  ...(data.choice === null ? [seat.kind === "judge" ? "Choose the one that passes its tests." : "Choose one of the seven steps."] : []),
  ...(seat.kind === "compare" && !data.why.trim() ? ["Say why, in a word or two."] : []),
];

/** @param {{held: import("../held.js").Held, seat: any}} props */
export function Choose({ held, seat }) {
  const { question, language, assisted, answers } = seat.view;
  const judge = seat.kind === "judge";
  const form = held.form.value;
  const lit = useSignal("");
  const pick = (/** @type {any} */ choice) => held.edit({ choice });
  const mark = (/** @type {string} */ slot, /** @type {number} */ i) => {
    const wrong = form.wrong[slot] ?? [];
    const next = wrong.includes(i) ? wrong.filter((/** @type {number} */ one) => one !== i) : [...wrong, i].sort((a, b) => a - b);
    held.edit({ wrong: { ...form.wrong, [slot]: next } });
  };

  useKeys(
    judge
      ? [
          { key: "1", does: "The first passes", run: () => pick(answers[0].slot) },
          { key: "2", does: "The second passes", run: () => pick(answers[1].slot) },
        ]
      : STEPS.map(([value, says], i) => ({ key: `${i + 1}`, does: `${says}`, run: () => pick(value) })),
  );
  useKeys([{ key: "r", does: "To the reasons", run: () => /** @type {HTMLElement | null} */ (document.querySelector(".verdict-form textarea"))?.focus() }]);

  return html`<div class="choose">
    <${Question} question=${question} />
    <p class="quiet arm">${assisted ? "With the critic's comments. They may be wrong: mark those that are." : "Without the critic."}</p>
    <div class="beside answers">
      ${answers.map((/** @type {any} */ one, /** @type {number} */ side) => html`<section aria-label=${`Answer ${"AB"[side]}`} class=${judge && form.choice === one.slot ? "picked" : ""}>
        <h2>${"AB"[side]}</h2>
        <${Code} text=${one.answer} language=${language} label=${`Answer ${"AB"[side]}`} onMark=${(/** @type {string} */ id) => (lit.value = `${one.slot} ${id}`)}
          marks=${(one.comments ?? []).map((/** @type {any} */ comment, /** @type {number} */ i) => ({ ...comment.highlight, id: `${i}`, tone: comment.severity, lit: lit.value === `${one.slot} ${i}` }))} />
        ${one.comments && !one.comments.length && html`<p class="quiet">The critic found no problems here.</p>`}
        <ol class="comments">${(one.comments ?? []).map((/** @type {any} */ comment, /** @type {number} */ i) => html`<${Comment} comment=${comment} number=${i + 1} lit=${lit.value === `${one.slot} ${i}`}
          onPick=${() => (lit.value = `${one.slot} ${i}`)}>
          <span class="quiet">line ${linesOf(one.answer, comment.highlight)}</span>
          <label class="check"><input type="checkbox" checked=${(form.wrong?.[one.slot] ?? []).includes(i)} onChange=${() => mark(one.slot, i)} /> this comment is wrong</label><//>`)}</ol>
      </section>`)}
    </div>
    <section class="verdict-form" aria-label="Your choice">
      ${judge
        ? html`<div role="radiogroup" aria-label="Which one passes its tests?" class="steps-wide">
            ${answers.map((/** @type {any} */ one, /** @type {number} */ side) => html`<button role="radio" aria-checked=${form.choice === one.slot ? "true" : "false"} onClick=${() => pick(one.slot)}>${"AB"[side]} passes its tests <kbd aria-hidden="true">${side + 1}</kbd></button>`)}
          </div>
          <${Scale} name="confidence" label="How sure are you?" low="a guess" high="certain" value=${form.confidence ?? undefined} onPick=${(/** @type {any} */ confidence) => held.edit({ confidence })} />`
        : html`<div role="radiogroup" aria-label="Which answer is better?" class="steps-wide seven">
            ${STEPS.map(([value, says, short], i) => html`<button role="radio" aria-checked=${form.choice === value ? "true" : "false"} aria-label=${says} title=${says} onClick=${() => pick(value)}>
              <b>${short}</b><small>${says}</small><kbd aria-hidden="true">${i + 1}</kbd></button>`)}
          </div>`}
      <${Words} label=${judge ? "Why? (if you like)" : "Why?"} rows=${3} value=${form.why} onInput=${(/** @type {string} */ why) => held.edit({ why })} />
      <${Program} seat=${seat} code=${`# Paste what you want to try.\n`} language=${language} />
    </section>
  </div>`;
}
