// Put a bug into code that works, describe it, and see how it holds: the tests, and the critic as adversary.
import { finished, post } from "../api.js";
import { Code, CodeHandle } from "../code.js";
import { CATEGORIES, Choice, Comment, Question, Ran, Scale, SEVERITIES, Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { Hint, html, say, trying } from "../shell.js";
import { linesOf, plural, Points, quoteOf, visible } from "../text.js";
import { Chunk, EditorState, useMemo, useSignal } from "../vendor.js";

export const emptyTamper = (/** @type {any} */ view) => ({ answer: view.task.answer, bugs: [] });

/** @param {any} data */
export const tamperForm = (data) => ({
  answer: data.answer,
  bugs: data.bugs.map((/** @type {any} */ { spans, description, category, severity, subtlety }) => ({ spans, description, category, severity, subtlety: subtlety ?? null })),
});

/** The changed lines of the answer, as ranges of UTF-16 units: like the server's, which has the last word.
 * @param {string} original @param {string} answer */
function changes(original, answer) {
  const doc = (/** @type {string} */ text) => EditorState.create({ doc: text, extensions: [EditorState.lineSeparator.of("\n")] }).doc;
  const [a, b] = [doc(original), doc(answer)];
  return Chunk.build(a, b).map((/** @type {any} */ chunk) => {
    if (chunk.fromB < chunk.toB) return { from: b.lineAt(Math.min(chunk.fromB, b.length)).from, to: b.lineAt(Math.max(chunk.fromB, Math.min(b.length, chunk.endB))).to + 1, removed: a.lineAt(Math.min(a.length, Math.max(chunk.fromA, chunk.endA))).number - a.lineAt(Math.min(a.length, chunk.fromA)).number + 1 };
    const line = b.lineAt(Math.min(chunk.fromB, b.length)); // lines were taken out: those on either side count
    return { from: b.line(Math.max(1, line.number - 1)).from, to: line.to + 1, removed: 0 };
  });
}

/** What hinders, in words. @param {any} data @param {any} seat */
export function tamperLeft(data, seat) {
  const original = seat.view.task.answer;
  if (data.answer === original) return ["The code is unchanged: put a bug into it."];
  if (!data.bugs.length) return ["Describe each bug that you put in: select it and press Alt+H."];
  const changed = changes(original, data.answer);
  const points = new Points(data.answer);
  return data.bugs.flatMap((/** @type {any} */ bug, /** @type {number} */ i) => [
    ...(bug.description.trim() ? [] : [`Bug ${i + 1}: say what breaks, and when.`]),
    ...(bug.spans.every((/** @type {any} */ span) => {
      const [from, to] = [points.toUnits(span.start), points.toUnits(span.end)];
      return from < to && changed.some((/** @type {any} */ one) => one.from <= from && to <= one.to);
    }) ? [] : [`Bug ${i + 1}: its highlight lies outside of what you changed.`]),
  ]);
}

/** @param {{held: import("../held.js").Held, seat: any, inside?: boolean}} props `inside` a re-check nothing is run. */
export function Tamper({ held, seat, inside = false }) {
  const { task } = seat.view;
  const form = held.form.value;
  const handle = useMemo(() => new CodeHandle(), []);
  const diff = useSignal(false);
  const at = useSignal(0);
  const ran = useSignal(/** @type {any} */ (null));
  const tried = useSignal(/** @type {any} */ (null));
  const busy = useSignal("");
  const left = tamperLeft(form, seat);

  const change = (/** @type {number} */ i, /** @type {any} */ what) =>
    held.edit({ bugs: form.bugs.map((/** @type {any} */ bug, /** @type {number} */ j) => (i === j ? { ...bug, ...what } : bug)) });
  const add = () => {
    const place = handle.selectionOrLine();
    if (!place) return say("Select the changed code first.", true);
    held.edit({ bugs: [...form.bugs, { spans: [place], description: "", category: "other", severity: "medium", subtlety: null }] });
    at.value = form.bugs.length;
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`[data-bug="${at.value}"] textarea`))?.focus());
  };
  const anchor = (/** @type {number} */ i) => {
    const place = handle.selectionOrLine();
    if (place) change(i, { spans: [place] });
  };
  const run = () =>
    trying(async () => {
      busy.value = "tests";
      try {
        const answer = form.answer;
        const found = await post(`/seats/${seat.id}/run`, { answer });
        ran.value = { ...found, of: answer };
      } finally {
        busy.value = "";
      }
    });
  const attack = () =>
    trying(async () => {
      if (left.length) throw new Error(left[0]);
      busy.value = "critic";
      try {
        const { answer, bugs } = tamperForm(form);
        const { job } = await post(`/seats/${seat.id}/adversary`, { answer, bugs });
        const result = await finished(job, (one) => (busy.value = `critic ${one.done} of ${one.total || 3}`));
        tried.value = { ...result, answer };
      } finally {
        busy.value = "";
      }
    });

  useKeys([
    { key: "Alt+D", does: "Show what was changed", run: () => (diff.value = !diff.value) },
    { key: "Alt+H", does: "Describe a bug at the selection, or the caret's line", run: add },
    ...(inside ? [] : [
      ...(task.runnable ? [{ key: "Alt+R", does: "Run the tests on original and tampered", run }] : []),
      { key: "Alt+C", does: "Ask the critic", run: attack },
    ]),
    { key: "j", does: "The next bug", run: () => (at.value = Math.min(form.bugs.length - 1, at.value + 1)) },
    { key: "k", does: "The bug before", run: () => (at.value = Math.max(0, at.value - 1)) },
    { key: "c", does: "To the code", run: () => handle.focus() },
  ]);

  const marks = form.bugs.flatMap((/** @type {any} */ bug, /** @type {number} */ i) =>
    bug.spans.map((/** @type {any} */ span) => ({ ...span, id: `${i}`, tone: "bug", lit: i === at.value })));
  const met = tried.value && tried.value.missed_once.every(Boolean);

  return html`<div class="bench">
    <section class="left" aria-label="The code">
      <${Question} question=${task.question} />
      <${Code} text=${form.answer} language=${task.language} label="The code: put a bug in" marks=${marks} handle=${handle}
        original=${task.answer} diff=${diff.value} onMark=${(/** @type {string} */ id) => (at.value = Number(id))}
        onChange=${(/** @type {string} */ answer, /** @type {(place: any) => any} */ map) => {
          const bugs = held.form.value.bugs.map((/** @type {any} */ bug) => ({ ...bug, spans: bug.spans.map(map) }));
          held.edit({ answer, bugs });
        }} />
      <p class="row wrap">
        <button aria-pressed=${diff.value} onClick=${() => (diff.value = !diff.value)}>Diff <${Hint} k="Alt+D" /></button>
        <button onClick=${add}>Describe a bug here <${Hint} k="Alt+H" /></button>
        <span class="quiet">${form.answer === task.answer ? "unchanged" : plural(changes(task.answer, form.answer).length, "change")}</span>
      </p>
    </section>
    <section class="right" aria-label="Bugs">
      <p class="row"><h2>Bugs</h2><span class="quiet">${plural(form.bugs.length, "bug")}</span></p>
      <ol class="writing">${form.bugs.map((/** @type {any} */ bug, /** @type {number} */ i) => html`<li class="written ${bug.severity} ${i === at.value ? "lit" : ""}"
        data-bug=${i} key=${i} onFocusIn=${() => (at.value = i)} onClick=${() => (at.value = i)}>
        <p class="head"><span class="number">${i + 1}</span> <span class="quiet">line ${linesOf(form.answer, bug.spans[0])}</span>
          <code class="quote">${visible(quoteOf(form.answer, bug.spans[0]).split("\n")[0].slice(0, 60))}</code></p>
        <${Words} label="What breaks, when, and how one sees it" rows=${3} value=${bug.description} onInput=${(/** @type {string} */ description) => change(i, { description })} />
        <div class="row wrap">
          <${Choice} label="Severity" value=${bug.severity} options=${SEVERITIES} onPick=${(/** @type {string} */ severity) => change(i, { severity })} />
          <${Choice} label="Category" value=${bug.category} options=${CATEGORIES} onPick=${(/** @type {string} */ category) => change(i, { category })} />
        </div>
        <${Scale} name=${`subtlety ${i}`} label="Subtlety" low="plain" high="hardly seen" value=${bug.subtlety ?? undefined} onPick=${(/** @type {number | null} */ subtlety) => change(i, { subtlety })} />
        <p class="row wrap"><button onClick=${() => anchor(i)}>Highlight the selection instead</button>
          <button onClick=${() => held.edit({ bugs: form.bugs.filter((/** @type {any} */ _, /** @type {number} */ j) => j !== i) })}>Delete</button></p>
      </li>`)}</ol>
      ${!form.bugs.length && html`<p class="empty">Change the code so that it is subtly wrong, select what is wrong, and press <kbd>Alt+H</kbd>.</p>`}
      ${!inside && html`
        <h2>How it holds</h2>
        <ul class="checks">
          <${Check} ok=${left.length === 0} text=${left.length ? left[0] : "Changed, described, and highlighted inside the change"} />
          ${task.runnable && html`<${Check} ok=${ran.value && ran.value.of === form.answer && ran.value.original.status === "passed" && ran.value.answer.status !== "passed"}
            text=${!ran.value ? "Tests not run yet" : ran.value.of !== form.answer ? "Changed since the tests ran" : ran.value.answer.status === "passed" ? "The tests don't notice it" : "The tests fail because of it"} />`}
          <${Check} ok=${met && tried.value.answer === form.answer} text=${!tried.value ? "Missed at least once: not tried yet" : tried.value.answer !== form.answer ? "Changed since the critic was asked" : met ? "Missed at least once: met" : "Missed at least once: not met, the critic found it each time"} />
        </ul>
        <p class="row wrap">
          ${task.runnable && html`<button onClick=${run} disabled=${busy.value !== ""}>${busy.value === "tests" ? "Running…" : "Run the tests"} <${Hint} k="Alt+R" /></button>`}
          <button onClick=${attack} disabled=${busy.value !== ""}>${busy.value.startsWith("critic") ? `Asking the ${busy.value}…` : "Ask the critic"} <${Hint} k="Alt+C" /></button>
        </p>
        <div aria-live="polite">
          ${ran.value && html`<div class="beside"><${Ran} title="Original" run=${ran.value.original} /><${Ran} title="Tampered" run=${ran.value.answer} /></div>`}
          ${tried.value && html`<div class="tries">${tried.value.critiques.map((/** @type {any} */ one, /** @type {number} */ i) => html`<article class="critique">
            <h3>Try ${i + 1} <span class="verdict ${one.missed.some(Boolean) ? "good" : "bad"}">${one.failed ? "failed" : one.missed.every(Boolean) ? "missed" : one.missed.some(Boolean) ? "missed in part" : "found"}</span></h3>
            ${!one.failed && !one.comments.length && html`<p class="quiet">No problems found.</p>`}
            <ol class="comments">${one.comments.slice(0, 6).map((/** @type {any} */ comment) => html`<${Comment} comment=${comment}><span class="quiet">line ${linesOf(tried.value.answer, comment.highlight)}</span><//>`)}</ol>
            ${one.comments.length > 6 && html`<p class="quiet">and ${one.comments.length - 6} more</p>`}
          </article>`)}</div>`}
        </div>`}
    </section>
  </div>`;
}

/** @param {{ok: any, text: string}} props */
const Check = ({ ok, text }) => html`<li class=${ok ? "good" : "open"}><span aria-hidden="true">${ok ? "✓" : "○"}</span> ${text}</li>`;
