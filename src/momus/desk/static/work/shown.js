// Work that was handed in, beside what it is about, as whoever did it saw both: to be read, not changed.
import { Code } from "../code.js";
import { Comment, Question } from "../fields.js";
import { html } from "../shell.js";
import { linesOf, visible } from "../text.js";
import { Plain } from "./plain.js";

const ATTRIBUTES = [
  ["comprehensiveness", "Comprehensive"], ["nitpick", "At least one nitpick"], ["fake_problem", "At least one problem made up"],
  ["conciseness", "Concise"], ["overall", "Overall"],
];
const CHOICES = ["A is far better", "A is better", "A is slightly better", "Equal", "B is slightly better", "B is better", "B is far better"];
const letter = (/** @type {number} */ i) => String.fromCharCode(65 + i);

/** @param {{answer: string, place: any}} props */
const Line = ({ answer, place }) => html`<span class="quiet">line ${linesOf(answer, place)}</span>`;

/** @param {{comments: any[], answer: string}} props */
const Comments = ({ comments, answer }) => html`<ol class="comments">
  ${comments.map((comment, i) => html`<${Comment} comment=${comment} number=${i + 1}><${Line} answer=${answer} place=${comment.highlight ?? comment.spans[0]} /><//>`)}
</ol>`;

/** What the work is about. @param {{view: any}} props */
export function Item({ view }) {
  const { task, bugs, critiques, answers, prefilled } = view;
  const marks = (bugs ?? []).flatMap((/** @type {any} */ bug, /** @type {number} */ i) =>
    bug.spans.map((/** @type {any} */ span) => ({ ...span, id: `${i}`, tone: "bug" })));
  return html`
    <${Question} question=${task?.question ?? view.question ?? ""} />
    ${task && html`<${Code} text=${task.answer} language=${task.language} label="The code" marks=${marks} />`}
    ${bugs?.length > 0 && html`<div class="reference"><h3>Reference bug${bugs.length > 1 ? "s" : ""}</h3><${Comments} comments=${bugs} answer=${task.answer} /></div>`}
    ${prefilled?.length > 0 && html`<h3>What the critic said</h3><${Comments} comments=${prefilled} answer=${task.answer} />`}
    ${critiques && html`<div class="critiques">${critiques.map((/** @type {any} */ one, /** @type {number} */ i) => html`<article class="critique" aria-label=${`Critique ${letter(i)}`}>
      <h2>${letter(i)}</h2>
      ${one.failed ? html`<p class="quiet">There is no critique here.</p>` : !one.comments.length && html`<p class="quiet">No problems found.</p>`}
      <${Comments} comments=${one.comments} answer=${task.answer} /></article>`)}</div>`}
    ${answers?.map((/** @type {any} */ one, /** @type {number} */ i) => html`<section aria-label=${`Answer ${letter(i)}`}><h3>${letter(i)}</h3>
      <${Code} text=${one.answer} language=${view.language} label=${`Answer ${letter(i)}`} />
      ${one.comments && html`<${Comments} comments=${one.comments} answer=${one.answer} />`}</section>`)}`;
}

/** What was handed in. @param {{kind: string, view: any, form: any}} props @returns {any} */
export function Answer({ kind, view, form }) {
  const How = { tamper: Tampered, rate: Rated, write: Written, team: Written, compare: Chosen, judge: Chosen, grade: Graded }[kind];
  return html`<div class="answered" data-answered=${kind}>${How ? html`<${How} view=${view} form=${form} />` : html`<${Plain} value=${form} />`}</div>`;
}

/** @param {{label: string, text: string}} props */
const Said = ({ label, text }) => text && html`<p class="text"><b>${label}:</b> ${visible(text)}</p>`;

/** @param {{view: any, form: any}} props */
const Tampered = ({ view, form }) => html`
  <${Code} text=${form.answer} original=${view.task.answer} diff=${true} language=${view.task.language} label="What was changed" />
  <${Comments} comments=${form.bugs} answer=${form.answer} />`;

/** @param {{view: any, form: any}} props */
function Rated({ view, form }) {
  const slots = view.critiques.map((/** @type {any} */ one) => one.slot).filter((/** @type {string} */ slot) => form.critiques[slot]);
  const name = (/** @type {string} */ slot) => letter(view.critiques.findIndex((/** @type {any} */ one) => one.slot === slot));
  const bugs = Math.max(0, ...slots.map((/** @type {string} */ slot) => form.critiques[slot].cbi.length));
  /** @type {[string, (scores: any) => any][]} */
  const rows = [
    ...Array.from({ length: bugs }, (_, i) => /** @type {[string, any]} */ ([`Caught bug${bugs > 1 ? ` ${i + 1}` : ""}`, (/** @type {any} */ scores) => scores.cbi[i]])),
    ...ATTRIBUTES.map(([field, label]) => /** @type {[string, any]} */ ([label, (/** @type {any} */ scores) => scores[field]])),
  ];
  return html`<table class="data"><thead><tr><th></th>${slots.map((/** @type {string} */ slot) => html`<th class="n">${name(slot)}</th>`)}</tr></thead>
    <tbody>${rows.map(([label, of]) => html`<tr><td>${label}</td>${slots.map((/** @type {string} */ slot) => html`<td class="n" data-of=${name(slot)}>${of(form.critiques[slot]) ?? "can't say"}</td>`)}</tr>`)}</tbody></table>
    <p><b>Ranking:</b> ${form.order.map((/** @type {string[]} */ tier) => tier.map(name).sort().join(" = ")).join(" > ")}</p>
    <${Said} label="Why" text=${form.rationale} />
    ${slots.map((/** @type {string} */ slot) => html`<${Said} label=${name(slot)} text=${form.critiques[slot].rationale} />`)}`;
}

/** @param {{view: any, form: any}} props */
function Written({ view, form }) {
  const kept = form.comments.map((/** @type {any} */ one) => one.origin);
  const dropped = (view.prefilled ?? []).map((/** @type {any} */ _, /** @type {number} */ i) => i + 1).filter((/** @type {number} */ i) => !kept.includes(i - 1));
  return html`${form.no_problems && html`<p>No problems.</p>`}
    <${Comments} comments=${form.comments} answer=${view.task.answer} />
    ${dropped.length > 0 && html`<p class="quiet">Dropped of the critic's: ${dropped.join(", ")}</p>`}
    <${Said} label="Notes" text=${form.notes} />`;
}

/** @param {{view: any, form: any}} props */
function Chosen({ view, form }) {
  const at = view.answers.findIndex((/** @type {any} */ one) => one.slot === form.choice);
  const wrong = view.answers.flatMap((/** @type {any} */ one, /** @type {number} */ i) => (form.wrong?.[one.slot] ?? []).map((/** @type {number} */ c) => `${letter(i)} ${c + 1}`));
  return html`<p><b>${at >= 0 ? `${letter(at)} passes its tests` : CHOICES[form.choice + 3]}</b>${form.confidence ? `, sure ${form.confidence} of 7` : ""}</p>
    <${Said} label="Why" text=${form.why} />
    ${wrong.length > 0 && html`<p>Comments marked as wrong: ${wrong.join(", ")}</p>`}`;
}

/** @param {{view: any, form: any}} props */
const Graded = ({ form }) => html`
  <table class="data"><thead><tr><th>Bug</th><th class="n">Severity</th><th class="n">Hard to find</th><th>Is it a bug?</th></tr></thead>
    <tbody>${form.bugs.map((/** @type {any} */ one, /** @type {number} */ i) => html`<tr><td data-of="Bug">${i + 1}</td><td class="n" data-of="Severity">${one.severity} of 7</td><td class="n" data-of="Hard to find">${one.difficulty} of 7</td><td data-of="Is it a bug?">${one.real ? "yes" : "no"}</td></tr>`)}</tbody></table>
  <${Said} label="Notes" text=${form.notes} />`;
