// Rate critiques side by side with the paper's form (Table 2), before the reference bug is shown and after.
import { Code, CodeHandle } from "../code.js";
import { Comment, Question, Scale, Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { html } from "../shell.js";
import { linesOf, visible } from "../text.js";
import { useEffect, useMemo, useSignal } from "../vendor.js";
import { against, byScore, moved, Ranking, tied } from "./ranking.js";

/** Name, label, and what 1, 4 and 7 mean. */
const SINGLE = [
  ["comprehensiveness", "Comprehensive", "severe problems are missing", "unsure", "all are mentioned"],
  ["nitpick", "At least one nitpick", "no", "unsure", "yes"],
  ["fake_problem", "At least one problem made up", "no", "unsure", "yes"],
  ["conciseness", "Concise", "very wordy", "unsure", "very concise"],
  ["overall", "Overall, beside the others", "worst", "middling", "best"],
];
const CBI = ["definitely missed", "unsure", "definitely included"];

/** @param {any} view @param {any} first */
export const emptyRate = (view, first) =>
  first ?? {
    critiques: Object.fromEntries(there(view).map((/** @type {any} */ one) => [one.slot, { rationale: "" }])),
    order: [],
    rationale: "",
    confirmed: false,
  };

/** @param {any} view */
const there = (view) => view.critiques.filter((/** @type {any} */ one) => !one.failed);

/** @param {any} data @param {any} seat */
export function rateForm(data, seat) {
  const bugs = seat.view.bugs?.length ?? 0;
  const critiques = Object.fromEntries(
    there(seat.view).map((/** @type {any} */ { slot }) => {
      const scores = data.critiques[slot] ?? {};
      const single = Object.fromEntries(SINGLE.map(([name]) => [name, scores[name] ?? null]));
      return [slot, { ...single, cbi: Array.from({ length: bugs }, (_, i) => scores.cbi?.[i] ?? null), rationale: scores.rationale ?? "" }];
    }),
  );
  return { critiques, order: data.order, rationale: data.rationale, confirmed: data.confirmed };
}

/** @param {{held: import("../held.js").Held, seat: any}} props */
export function Rate({ held, seat }) {
  const { task, critiques, bugs } = seat.view;
  const form = held.form.value;
  const slots = useMemo(() => there(seat.view).map((/** @type {any} */ one) => one.slot), [seat.id]);
  const nameOf = (/** @type {string} */ slot) => String.fromCharCode(65 + critiques.findIndex((/** @type {any} */ one) => one.slot === slot));
  const rows = [
    ...(bugs ?? []).map((/** @type {any} */ _, /** @type {number} */ i) => [`cbi.${i}`, bugs.length > 1 ? `Caught bug ${i + 1}` : "Caught the bug", ...CBI]),
    ...SINGLE,
  ];
  const at = useSignal({ row: 0, col: 0 });
  const lit = useSignal(-1);
  const handle = useMemo(() => new CodeHandle(), []);
  const focus = slots[at.value.col] ?? slots[0];
  const focused = critiques.find((/** @type {any} */ one) => one.slot === focus);

  const scoreOf = (/** @type {string} */ slot, /** @type {string} */ name) => {
    const scores = form.critiques[slot] ?? {};
    return name.startsWith("cbi.") ? scores.cbi?.[Number(name.slice(4))] : scores[name];
  };
  const overall = (/** @type {string} */ slot) => scoreOf(slot, "overall");
  const score = (/** @type {string} */ slot, /** @type {string} */ name, /** @type {number | null} */ value) => {
    const scores = { ...form.critiques[slot] };
    // By the bug's number and not as a list, in which JSON has null for what was not answered: null is "can't say".
    if (name.startsWith("cbi.")) scores.cbi = { ...scores.cbi, [name.slice(4)]: value };
    else scores[name] = value;
    held.edit({ critiques: { ...form.critiques, [slot]: scores }, ...(name === "overall" ? { confirmed: false } : {}) });
  };
  const go = (/** @type {number} */ row, /** @type {number} */ col) => {
    const held = { row: Math.max(0, Math.min(rows.length - 1, row)), col: Math.max(0, Math.min(slots.length - 1, col)) };
    if (held.col !== at.value.col) lit.value = -1;
    at.value = held;
    requestAnimationFrame(() => {
      const cell = document.querySelector(`[data-scale="${rows[held.row][0]} ${held.col}"] [tabindex="0"]`);
      if (cell instanceof HTMLElement) cell.focus();
    });
  };
  const type = (/** @type {number | null} */ value) => {
    const { row, col } = at.value;
    if (value === null && rows[row][0] === "overall") return;
    score(slots[col], rows[row][0], value);
    if (row + 1 < rows.length) go(row + 1, col);
    else if (col + 1 < slots.length) go(0, col + 1);
  };
  /** The first question without an answer: there the cursor stands when the bug is shown, and when handing in asks. */
  const blank = () => {
    for (let col = 0; col < slots.length; col++) {
      const row = rows.findIndex(([name]) => scoreOf(slots[col], name) === undefined);
      if (row >= 0) return go(row, col);
    }
  };
  useEffect(() => void (bugs !== null && blank()), [bugs === null]);
  useEffect(() => void (held.errors?.value.length && blank()), [held.errors?.value]);
  const order = (/** @type {string[][]} */ tiers) => held.edit({ order: tiers, confirmed: false });
  const step = (/** @type {number} */ by) => {
    const count = focused?.comments.length ?? 0;
    if (!count) return;
    lit.value = (lit.value + by + count + (lit.value < 0 && by < 0 ? 1 : 0)) % count;
    handle.reveal(focused.comments[lit.value].highlight);
  };
  const wrong = against(form.order, overall);

  useKeys([
    ...[1, 2, 3, 4, 5, 6, 7].map((value) => ({ key: `${value}`, does: value === 1 ? "Score (1 to 7), and go on" : "", run: () => type(value) })),
    { key: "0", does: "Can't say", run: () => type(null) },
    { key: "ArrowLeft", does: "The critique to the left", run: () => go(at.value.row, at.value.col - 1) },
    { key: "ArrowRight", does: "The critique to the right", run: () => go(at.value.row, at.value.col + 1) },
    { key: "j", does: "The next question", run: () => go(at.value.row + 1, at.value.col) },
    { key: "k", does: "The question before", run: () => go(at.value.row - 1, at.value.col) },
    { key: "ArrowDown", does: "", run: () => go(at.value.row + 1, at.value.col) },
    { key: "ArrowUp", does: "", run: () => go(at.value.row - 1, at.value.col) },
    { key: "Shift+J", does: "Rank this critique lower", run: () => order(moved(form.order, focus, 1)) },
    { key: "Shift+K", does: "Rank this critique higher", run: () => order(moved(form.order, focus, -1)) },
    { key: "t", does: "Tie it with the one above", run: () => order(tied(form.order, focus)) },
    { key: "o", does: "Rank by the overall scores", run: () => order(byScore(slots, overall)) },
    { key: "m", does: "The ranking is meant, although it contradicts", run: () => wrong.length && held.edit({ confirmed: !form.confirmed }) },
    { key: "[", does: "The comment before", run: () => step(-1) },
    { key: "]", does: "The next comment", run: () => step(1) },
  ]);

  const marks = [
    ...(bugs ?? []).flatMap((/** @type {any} */ bug, /** @type {number} */ i) =>
      bug.spans.map((/** @type {any} */ span) => ({ ...span, id: `bug ${i}`, tone: "bug" }))),
    ...(focused?.comments ?? []).map((/** @type {any} */ one, /** @type {number} */ i) => ({
      ...one.highlight, id: `${i}`, tone: one.severity, lit: i === lit.value })),
  ];

  return html`<div class="bench wide-right">
    <section class="left" aria-label="The code">
      <${Question} question=${task.question} />
      <${Code} text=${task.answer} language=${task.language} label="The code under review" marks=${marks} handle=${handle}
        onMark=${(/** @type {string} */ id) => (lit.value = Number(id))} />
      ${bugs !== null && html`<div class="reference">
        <h2>Reference bug${bugs.length === 1 ? "" : "s"}</h2>
        ${bugs.length === 0 && html`<p class="quiet">None is known of this code.</p>`}
        <ol class="comments">${bugs.map((/** @type {any} */ bug, /** @type {number} */ i) => html`<${Comment} comment=${bug} number=${i + 1}>
          <span class="quiet">line ${linesOf(task.answer, bug.spans[0])}</span><//>`)}</ol>
      </div>`}
      ${bugs === null && html`<p class="reference quiet">The reference bug is shown after the first pass.</p>`}
    </section>
    <section class="right" aria-label="Critiques and scores">
      <div class="critiques">
        ${critiques.map((/** @type {any} */ one) => html`<article class="critique ${one.slot === focus ? "lit" : ""}" data-critique=${nameOf(one.slot)}
          aria-label=${`Critique ${nameOf(one.slot)}`} onClick=${() => { const col = slots.indexOf(one.slot); if (col >= 0 && col !== at.value.col) { at.value = { ...at.value, col }; lit.value = -1; } }}>
          <h2>${nameOf(one.slot)}</h2>
          ${one.failed && html`<p class="quiet">There is no critique here. It is not scored.</p>`}
          ${!one.failed && !one.comments.length && html`<p class="quiet">No problems found.</p>`}
          <ol class="comments">${one.comments.map((/** @type {any} */ comment, /** @type {number} */ i) => html`<${Comment} comment=${comment} number=${i + 1}
            lit=${one.slot === focus && i === lit.value}
            onPick=${() => { if (one.slot === focus) { lit.value = i; handle.reveal(comment.highlight); } }}>
            <span class="quiet">line ${linesOf(task.answer, comment.highlight)}</span><//>`)}</ol>
        </article>`)}
      </div>
      <table class="scores">
        <caption class="unseen-caption">Scores from 1 to 7; – is can't say</caption>
        <thead><tr><td></td>${slots.map((/** @type {string} */ slot) => html`<th scope="col" class=${slot === focus ? "lit" : ""}>${nameOf(slot)}</th>`)}</tr></thead>
        <tbody>${rows.map(([name, label, low, middle, high], row) => html`<tr class=${row === at.value.row ? "lit" : ""}>
          <th scope="row">${label}<small><b>1</b> ${low} <b>4</b> ${middle} <b>7</b> ${high}</small></th>
          ${slots.map((/** @type {string} */ slot, /** @type {number} */ col) => html`<td data-of=${nameOf(slot)}>
            <${Scale} name=${`${name} ${col}`} label=${`${label}, critique ${nameOf(slot)}`} hideLabel none=${name !== "overall"}
              value=${scoreOf(slot, name)} active=${row === at.value.row && col === at.value.col}
              onFocus=${() => { if (row !== at.value.row || col !== at.value.col) at.value = { row, col }; }}
              onPick=${(/** @type {number | null} */ value) => { score(slot, name, value); at.value = { row, col }; }} />
            ${seat.first_pass && name in (seat.first_pass.critiques[slot] ?? {}) && seat.first_pass.critiques[slot][name] !== (scoreOf(slot, name) ?? null) &&
              html`<small class="first">was ${seat.first_pass.critiques[slot][name] ?? "–"}</small>`}
          </td>`)}
        </tr>`)}</tbody>
      </table>
      <div class="under">
        <div>
          <h2>Ranking, best first</h2>
          <${Ranking} order=${form.order} slots=${slots} nameOf=${nameOf} focus=${focus} onOrder=${order}
            onFocus=${(/** @type {string} */ slot) => (at.value = { ...at.value, col: slots.indexOf(slot) })} onScores=${() => order(byScore(slots, overall))} />
          ${wrong.length > 0 && html`<div class="warn" role="status">
            <p>${wrong.map(([a, b]) => `${nameOf(a)} stands above ${nameOf(b)}, but scores less overall.`).join(" ")}</p>
            <label class="check"><input type="checkbox" checked=${form.confirmed} onChange=${(/** @type {any} */ e) => held.edit({ confirmed: e.target.checked })} /> That is meant <kbd aria-hidden="true">m</kbd></label>
          </div>`}
        </div>
        <${Words} label="Why this order?" rows=${4} value=${form.rationale} onInput=${(/** @type {string} */ rationale) => held.edit({ rationale })} />
      </div>
    </section>
  </div>`;
}

/** What is still to be scored. @param {any} data @param {any} seat */
export function rateLeft(data, seat) {
  const bugs = seat.view.bugs?.length ?? 0;
  const slots = there(seat.view).map((/** @type {any} */ one) => one.slot);
  const blanks = slots.flatMap((/** @type {string} */ slot) => {
    const scores = data.critiques[slot] ?? {};
    return [...SINGLE.map(([name]) => scores[name]), ...Array.from({ length: bugs }, (_, i) => scores.cbi?.[i])].filter((one) => one === undefined);
  }).length;
  const unranked = slots.filter((/** @type {string} */ slot) => !data.order.flat().includes(slot)).length;
  return [
    ...(blanks ? [`${blanks} not scored yet: give 1 to 7, or – (key 0) where you can't say.`] : []),
    ...(unranked ? [`${unranked} not ranked yet.`] : []),
    ...(against(data.order, (slot) => data.critiques[slot]?.overall).length && !data.confirmed
      ? ["The ranking contradicts the overall scores: change one of them, or say that it is meant."] : []),
  ];
}
