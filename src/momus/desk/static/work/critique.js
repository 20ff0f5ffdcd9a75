// Write a critique alone, or with the critic: its comments are there to be kept, edited or dropped (Fig. 4).
import { Code, CodeHandle } from "../code.js";
import { CATEGORIES, Choice, Question, SEVERITIES, Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { Hint, html, say } from "../shell.js";
import { linesOf, plural, quoteOf, UNSEEN, visible } from "../text.js";
import { useMemo, useSignal } from "../vendor.js";
import { Program } from "./run.js";

/** `fate` of the critic's comments by index: kept, edited or dropped; what has none is not decided yet. */
export const emptyCritique = (/** @type {any} */ view) => ({
  comments: (view.prefilled ?? []).map((/** @type {any} */ one, /** @type {number} */ i) => ({ ...one, origin: i })),
  fate: {},
  no_problems: false,
  notes: "",
});

/** The fates of the critic's comments; of a form that was handed in they are plain from it. @param {any} data @param {any} view */
function fates(data, view) {
  if (data.fate) return data.fate;
  const there = new Map(data.comments.filter((/** @type {any} */ one) => one.origin !== null).map((/** @type {any} */ one) => [one.origin, one]));
  return Object.fromEntries((view.prefilled ?? []).map((/** @type {any} */ given, /** @type {number} */ i) =>
    [i, !there.has(i) ? "dropped" : same(there.get(i), given) ? "kept" : "edited"]));
}

/** @param {any} one @param {any} given */
const same = (one, given) =>
  one.text.trim() === given.text.trim() && one.category === given.category && one.severity === given.severity &&
  (one.suggestion ?? null) === (given.suggestion ?? null) && one.highlight.start === given.highlight.start && one.highlight.end === given.highlight.end;

/** @param {any} data @param {any} seat */
export function critiqueForm(data, seat) {
  const fate = fates(data, seat.view);
  return {
    comments: data.comments
      .filter((/** @type {any} */ one) => one.origin === null || fate[one.origin] !== "dropped")
      .map((/** @type {any} */ { highlight, text, category, severity, suggestion, origin }) => ({ highlight, text, category, severity, suggestion: suggestion || null, origin })),
    no_problems: data.no_problems,
    notes: data.notes,
  };
}

/** @param {any} data @param {any} seat */
export function critiqueLeft(data, seat) {
  const undecided = (seat.view.prefilled ?? []).filter((/** @type {any} */ _, /** @type {number} */ i) => !fates(data, seat.view)[i]).length;
  const form = critiqueForm(data, seat);
  const blank = form.comments.filter((/** @type {any} */ one) => !one.text.trim()).length;
  return [
    ...(undecided ? [`${plural(undecided, "comment")} of the critic not decided yet: keep, edit or drop.`] : []),
    ...(blank ? [`${plural(blank, "comment")} without words.`] : []),
    ...(!form.comments.length && !form.no_problems ? ["Write a comment, or say that there are no problems."] : []),
    ...(form.comments.length && form.no_problems ? ["You wrote comments and said that there are no problems."] : []),
  ];
}

/** @param {{held: import("../held.js").Held, seat: any}} props */
export function Critique({ held, seat }) {
  const { task, prefilled } = seat.view;
  const team = prefilled !== undefined;
  const form = held.form.value;
  const fate = fates(form, seat.view);
  const handle = useMemo(() => new CodeHandle(), []);
  const at = useSignal(0);
  const comments = form.comments;
  const undecided = (prefilled ?? []).filter((/** @type {any} */ _, /** @type {number} */ i) => !fate[i]).length;

  const change = (/** @type {number} */ i, /** @type {any} */ what) => {
    const one = { ...comments[i], ...what };
    const next = comments.map((/** @type {any} */ old, /** @type {number} */ j) => (i === j ? one : old));
    const fated = one.origin === null ? {} : { fate: { ...fate, [one.origin]: same(one, prefilled[one.origin]) ? "kept" : "edited" } };
    held.edit({ comments: next, ...fated });
  };
  const decide = (/** @type {number} */ i, /** @type {string} */ what) => {
    const one = comments[i];
    if (!one) return;
    if (one.origin === null) {
      if (what === "dropped") held.edit({ comments: comments.filter((/** @type {any} */ _, /** @type {number} */ j) => j !== i) });
      return;
    }
    const kept = what === "kept" && !same(one, prefilled[one.origin]) ? "edited" : what;
    held.edit({ fate: { ...fate, [one.origin]: kept } });
    if (what !== "edited") at.value = Math.min(comments.length - 1, i + 1);
  };
  const edit = (/** @type {number} */ i) => {
    at.value = i;
    if (comments[i]?.origin !== null && fate[comments[i]?.origin] === "dropped") decide(i, "edited");
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`[data-comment="${i}"] textarea`))?.focus());
  };
  const add = () => {
    const highlight = handle.selectionOrLine();
    if (!highlight) return say("Select the code that the comment is about, or put the caret into its line.", true);
    held.edit({ comments: [...comments, { highlight, text: "", category: "other", severity: "medium", suggestion: null, origin: null }], no_problems: false });
    edit(comments.length);
  };
  const go = (/** @type {number} */ to) => {
    if (!comments.length) return;
    at.value = Math.max(0, Math.min(comments.length - 1, to));
    handle.reveal(comments[at.value].highlight);
    document.querySelector(`[data-comment="${at.value}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const move = (/** @type {number} */ by) => {
    const to = at.value + by;
    if (to < 0 || to >= comments.length) return;
    const next = [...comments];
    [next[at.value], next[to]] = [next[to], next[at.value]];
    held.edit({ comments: next });
    at.value = to;
  };

  useKeys([
    { key: "Alt+H", does: "Comment on what is selected, or on the caret's line", run: add },
    { key: "j", does: "The next comment", run: () => go(at.value + 1) },
    { key: "k", does: "The comment before", run: () => go(at.value - 1) },
    { key: "]", does: "", run: () => go(at.value + 1) },
    { key: "[", does: "", run: () => go(at.value - 1) },
    ...(team ? [{ key: "a", does: "Keep the critic's comment", run: () => decide(at.value, "kept") }] : []),
    { key: "e", does: "Edit the comment", run: () => edit(at.value) },
    ...(team ? [{ key: "x", does: "Drop the critic's comment", run: () => comments[at.value]?.origin !== null && decide(at.value, "dropped") }] : []),
    { key: "Shift+J", does: "Move the comment down", run: () => move(1) },
    { key: "Shift+K", does: "Move the comment up", run: () => move(-1) },
    { key: "c", does: "To the code", run: () => handle.focus() },
    { key: "n", does: "No problems", run: () => held.edit({ no_problems: !form.no_problems }) },
  ]);

  const marks = comments
    .map((/** @type {any} */ one, /** @type {number} */ i) => ({ ...one.highlight, id: `${i}`, tone: one.severity, lit: i === at.value, gone: one.origin !== null && fate[one.origin] === "dropped" }))
    .filter((/** @type {any} */ one) => !one.gone);

  return html`<div class="bench">
    <section class="left" aria-label="The code">
      <${Question} question=${task.question} />
      <${Code} text=${task.answer} language=${task.language} label="The code under review" marks=${marks} handle=${handle}
        onMark=${(/** @type {string} */ id) => go(Number(id))} />
      <p class="row"><button onClick=${add}>Comment on the selection <${Hint} k="Alt+H" /></button></p>
      <${Program} seat=${seat} code=${task.answer} language=${task.language} />
    </section>
    <section class="right" aria-label="Comments">
      <p class="row"><h2>${team ? "With the critic" : "Comments"}</h2>
        <span class="quiet">${plural(critiqueForm(form, seat).comments.length, "comment")}${team && undecided ? `, ${undecided} not decided` : ""}</span></p>
      <ol class="writing">
        ${comments.map((/** @type {any} */ one, /** @type {number} */ i) => html`<${Written} key=${one.origin === null ? `own ${i}` : `given ${one.origin}`}
          comment=${one} i=${i} lit=${i === at.value} answer=${task.answer} handle=${handle}
          fate=${one.origin === null ? "own" : fate[one.origin] ?? "undecided"}
          onFocus=${() => (at.value = i)} onChange=${(/** @type {any} */ what) => change(i, what)}
          onDecide=${(/** @type {string} */ what) => decide(i, what)} onEdit=${() => edit(i)} />`)}
      </ol>
      ${!comments.length && html`<p class="empty">Select code at the left and press <kbd>Alt+H</kbd>, or say that there are no problems.</p>`}
      <label class="check"><input type="checkbox" checked=${form.no_problems} onChange=${(/** @type {any} */ e) => held.edit({ no_problems: e.target.checked })} /> No problems: the code is right <kbd aria-hidden="true">n</kbd></label>
      <${Words} label="Notes" hint="for yourself: what you tried, what you ran" value=${form.notes} onInput=${(/** @type {string} */ notes) => held.edit({ notes })} />
    </section>
  </div>`;
}

/** @param {any} props */
function Written({ comment, i, lit, answer, fate, handle, onFocus, onChange, onDecide, onEdit }) {
  const anchor = () => {
    const highlight = handle.selection();
    if (highlight) onChange({ highlight });
    else say("Select the code first.", true);
  };
  const dropped = fate === "dropped";
  return html`<li class="written ${comment.severity} ${fate} ${lit ? "lit" : ""}" data-comment=${i} onFocusIn=${onFocus} onClick=${onFocus}>
    <p class="head">
      <span class="number">${i + 1}</span>
      <span class="quiet">line ${linesOf(answer, comment.highlight)}</span>
      <code class="quote">${visible(quoteOf(answer, comment.highlight).split("\n")[0].slice(0, 60))}</code>
      <span class="grow"></span>
      ${fate !== "own" && html`<span class="fate">${fate === "undecided" ? "critic" : fate}</span>`}
    </p>
    ${dropped && html`<p class="text struck">${visible(comment.text)}</p>`}
    ${!dropped && html`
      <label class="words"><span class="label">What is wrong, and when it shows</span>
        <textarea rows=${Math.max(2, Math.ceil(comment.text.length / 60))} value=${comment.text} onInput=${(/** @type {any} */ e) => onChange({ text: e.target.value })}></textarea></label>
      ${comment.text.search(UNSEEN) >= 0 && html`<p class="text quiet">It has characters that are not seen: ${visible(comment.text)}</p>`}
      <div class="row wrap">
        <${Choice} label="Severity" value=${comment.severity} options=${SEVERITIES} onPick=${(/** @type {string} */ severity) => onChange({ severity })} />
        <${Choice} label="Category" value=${comment.category} options=${CATEGORIES} onPick=${(/** @type {string} */ category) => onChange({ category })} />
      </div>
      <label class="words"><span class="label">Fix <span class="quiet">in place of the highlight, if you know one</span></span>
        <textarea class="mono" rows="1" value=${comment.suggestion ?? ""} onInput=${(/** @type {any} */ e) => onChange({ suggestion: e.target.value || null })}></textarea></label>`}
    <p class="row wrap">
      ${fate !== "own" && html`<button aria-pressed=${fate === "kept"} onClick=${() => onDecide("kept")}>Keep <${Hint} k="a" /></button>
        <button aria-pressed=${fate === "edited"} onClick=${onEdit}>Edit <${Hint} k="e" /></button>
        <button aria-pressed=${dropped} onClick=${() => onDecide("dropped")}>Drop <${Hint} k="x" /></button>`}
      ${!dropped && html`<button onClick=${anchor}>Highlight the selection instead</button>`}
      ${fate === "own" && html`<button onClick=${() => onDecide("dropped")}>Delete</button>`}
    </p>
  </li>`;
}
