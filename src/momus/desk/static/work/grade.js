// Grade bugs: how severe, how hard to find. Which of them were put in is not told (Fig. 10).
import { Code, CodeHandle } from "../code.js";
import { Comment, Question, Scale, Words } from "../fields.js";
import { useKeys } from "../keys.js";
import { html } from "../shell.js";
import { linesOf } from "../text.js";
import { useMemo, useSignal } from "../vendor.js";

export const emptyGrade = (/** @type {any} */ view) => ({ bugs: view.bugs.map(() => ({ severity: null, difficulty: null, real: true })), notes: "" });

/** @param {any} data */
export const gradeForm = (data) => ({ bugs: data.bugs, notes: data.notes });

/** @param {any} data */
export const gradeLeft = (data) =>
  data.bugs.some((/** @type {any} */ bug) => bug.severity === null || bug.difficulty === null) ? ["Give each bug both grades."] : [];

/** @param {{held: import("../held.js").Held, seat: any}} props */
export function Grade({ held, seat }) {
  const { task, bugs } = seat.view;
  const form = held.form.value;
  const at = useSignal({ bug: 0, field: "severity" });
  const handle = useMemo(() => new CodeHandle(), []);
  const change = (/** @type {number} */ i, /** @type {any} */ what) =>
    held.edit({ bugs: form.bugs.map((/** @type {any} */ one, /** @type {number} */ j) => (i === j ? { ...one, ...what } : one)) });
  const go = (/** @type {number} */ bug) => {
    at.value = { bug: Math.max(0, Math.min(bugs.length - 1, bug)), field: "severity" };
    handle.reveal(bugs[at.value.bug].spans[0]);
  };
  const type = (/** @type {number} */ value) => {
    const { bug, field } = at.value;
    change(bug, { [field]: value });
    if (field === "severity") at.value = { bug, field: "difficulty" };
    else if (bug + 1 < bugs.length) go(bug + 1);
  };
  useKeys([
    ...[1, 2, 3, 4, 5, 6, 7].map((value) => ({ key: `${value}`, does: value === 1 ? "Grade (1 to 7), and go on" : "", run: () => type(value) })),
    { key: "j", does: "The next bug", run: () => go(at.value.bug + 1) },
    { key: "k", does: "The bug before", run: () => go(at.value.bug - 1) },
    { key: "x", does: "It is no bug at all", run: () => change(at.value.bug, { real: !form.bugs[at.value.bug].real }) },
  ]);
  const marks = bugs.flatMap((/** @type {any} */ bug, /** @type {number} */ i) => bug.spans.map((/** @type {any} */ span) => ({ ...span, id: `${i}`, tone: "bug", lit: i === at.value.bug })));
  return html`<div class="bench">
    <section class="left" aria-label="The code">
      <${Question} question=${task.question} />
      <${Code} text=${task.answer} language=${task.language} label="The code" marks=${marks} handle=${handle} onMark=${(/** @type {string} */ id) => go(Number(id))} />
    </section>
    <section class="right" aria-label="Bugs">
      <h2>Bugs</h2>
      <ol class="comments">${bugs.map((/** @type {any} */ bug, /** @type {number} */ i) => html`<${Comment} unweighed comment=${bug} number=${i + 1} lit=${i === at.value.bug} onPick=${() => i !== at.value.bug && go(i)}>
        <span class="quiet">line ${linesOf(task.answer, bug.spans[0])}</span><//>
        <li class="grading">
          <${Scale} name=${`severity ${i}`} label="How severe?" low="does not matter" high="makes it useless" active=${i === at.value.bug && at.value.field === "severity"} value=${form.bugs[i]?.severity ?? undefined} onPick=${(/** @type {any} */ severity) => change(i, { severity })} />
          <${Scale} name=${`difficulty ${i}`} label="How hard to find?" low="plain" high="hardly to be found" active=${i === at.value.bug && at.value.field === "difficulty"} value=${form.bugs[i]?.difficulty ?? undefined} onPick=${(/** @type {any} */ difficulty) => change(i, { difficulty })} />
          <label class="check"><input type="checkbox" checked=${!form.bugs[i]?.real} onChange=${(/** @type {any} */ e) => change(i, { real: !e.target.checked })} /> It is no bug at all <kbd aria-hidden="true">x</kbd></label>
        </li>`)}</ol>
      <${Words} label="Notes" value=${form.notes} onInput=${(/** @type {string} */ notes) => held.edit({ notes })} />
    </section>
  </div>`;
}
