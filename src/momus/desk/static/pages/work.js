// A seat, whatever its kind: claimed, worked at on its bench, handed in, and on to the next.
import { Away, away, back, get, post, Problem, serverNow } from "../api.js";
import { Amending, Held } from "../held.js";
import { useKeys } from "../keys.js";
import { Dialog, here, Hint, html, inProject, say, start, status, told, trying } from "../shell.js";
import { lasting, visible } from "../text.js";
import { computed, effect, signal, useEffect, useErrorBoundary, useSignal } from "../vendor.js";
import { Choose, chooseForm, chooseLeft, emptyChoice } from "../work/choose.js";
import { Critique, critiqueForm, critiqueLeft, emptyCritique } from "../work/critique.js";
import { emptyGrade, Grade, gradeForm, gradeLeft } from "../work/grade.js";
import { Plain } from "../work/plain.js";
import { emptyRate, Rate, rateForm, rateLeft } from "../work/rate.js";
import { emptyRecheck, Recheck, recheckForm, recheckLeft } from "../work/recheck.js";
import { emptyTamper, Tamper, tamperForm, tamperLeft } from "../work/tamper.js";

/** By kind: the form to begin with, the bench, what of a draft is handed in, and what it still lacks. */
const BENCHES = {
  tamper: { bench: Tamper, empty: emptyTamper, form: tamperForm, left: tamperLeft },
  rate: { bench: Rate, empty: emptyRate, form: rateForm, left: rateLeft },
  write: { bench: Critique, empty: emptyCritique, form: critiqueForm, left: critiqueLeft },
  team: { bench: Critique, empty: emptyCritique, form: critiqueForm, left: critiqueLeft },
  compare: { bench: Choose, empty: emptyChoice, form: chooseForm, left: chooseLeft },
  judge: { bench: Choose, empty: emptyChoice, form: chooseForm, left: chooseLeft },
  grade: { bench: Grade, empty: emptyGrade, form: gradeForm, left: gradeLeft },
  recheck: { bench: Recheck, empty: emptyRecheck, form: recheckForm, left: recheckLeft },
};
const LAST = `momus.last.${here.project}`;

/** @type {import("../vendor.js").Signal<Held | null>} */
const held = signal(null);
/** What stands there instead of a seat. */
const instead = signal("");
/** A seat that can't be shown: it can still be skipped. */
const unreadable = signal("");
const leaving = signal(false);
const canary = signal(/** @type {any} */ (null));
const now = signal(serverNow());
setInterval(() => (now.value = serverNow()), 1000);

async function open() {
  try {
    if (here.amend) return await amend(here.amend);
    const seat = here.seat ? await get(`/seats/${here.seat}`) : await post(`${inProject}/queue/${here.kind}/claim`);
    if (seat === null) {
      instead.value = `There is nothing left to ${here.kind} just now.`;
      return;
    }
    if (!here.seat) history.replaceState(null, "", `/p/${here.project}/seat/${seat.id}`);
    document.title = `${seat.kind} · Momus desk`;
    held.value = new Held(seat, /** @type {any} */ (BENCHES)[seat.kind].empty);
  } catch (error) {
    if (!(error instanceof Away)) {
      unreadable.value = error instanceof Problem && error.code === "unreadable" ? error.body.seat : "";
      instead.value = told(error);
      return;
    }
    await back();
    await open(); // asked for twice, it is the same seat
  }
}

/** @param {string} which */
async function amend(which) {
  const made = await get(`/submissions/${which}`);
  if (made.canary) instead.value = "This was a known bug, which you have been shown since: it can't be amended.";
  else if (made.state !== "current") instead.value = "This was taken back, or amended since.";
  else held.value = new Amending(await get(`/seats/${made.seat}`), made);
}

const left = computed(() => {
  const seat = held.value?.seat.value;
  if (!seat || !["leased", "lost"].includes(seat.state)) return "";
  if (held.value?.lost.value) return "lease lost";
  const until = Date.parse(seat.deadline ?? seat.lease_until) - now.value;
  const clock = `${Math.floor(Math.abs(until) / 60000)}:${String(Math.floor((Math.abs(until) / 1000) % 60)).padStart(2, "0")}`;
  if (seat.deadline) return until > 0 ? `${clock} left` : `${clock} over time`;
  return until > 0 ? `lease ${clock}` : "lease ran out";
});

effect(() => {
  status.value = held.value ? held.value.saved.value : "";
});

/** @param {{at: Held}} props */
function Bench({ at }) {
  const seat = at.seat.value;
  const { bench, empty, form, left: lacking } = /** @type {any} */ (BENCHES)[seat.kind];
  const done = seat.state === "submitted";
  const amending = at instanceof Amending;
  const firstPass = seat.kind === "rate" && seat.view.bugs === null;

  const handIn = async () => {
    if (at.conflict.value || done) return;
    at.errors.value = lacking(at.form.value, seat).map((/** @type {string} */ detail) => ({ detail }));
    if (at.errors.value.length) return;
    const made = form(at.form.value, seat);
    if (firstPass) {
      if (await at.firstPass(made)) {
        at.edit({ confirmed: false });
        say("The first pass is kept. Now the reference bug is shown: rate again with it in mind.");
      }
      return;
    }
    const stored = await at.submit(made);
    if (!stored) return;
    if (amending) {
      sessionStorage.removeItem(LAST); // what could have been taken back is not what counts now
      location.assign(`/p/${here.project}/history`);
      return;
    }
    if (stored.canary) {
      sessionStorage.removeItem(LAST); // its bug has been shown: it can't be taken back
      canary.value = stored.canary;
      return;
    }
    sessionStorage.setItem(LAST, JSON.stringify({ id: stored.id, kind: seat.kind, late: stored.late, at: Date.now() }));
    location.assign(`/p/${here.project}/work/${seat.kind}`);
  };

  useKeys([
    { key: "Ctrl+Enter", does: firstPass ? "Finish the first pass" : amending ? "Amend it" : "Hand in", field: false, run: handIn },
    { key: "Ctrl+s", does: "Save the draft now", run: () => at.save() },
    ...(amending ? [] : [{ key: "s", does: "Skip, and say why", run: () => (leaving.value = true) }, ...lastKeys()]),
  ]);

  return html`
    <div class="seat-bar">
      <h1>${seat.kind}</h1>
      <span class="quiet" data-lease>${left.value}</span>
      ${amending ? html`<span class="quiet">what you handed in; the first version is kept</span>` : html`<${Last} />`}
      <span class="grow"></span>
      ${at.busy.value && html`<span class="quiet" role="status">Handing in…</span>`}
      ${amending
        ? html`<a class="button" href=${`/p/${here.project}/history`}>Leave it</a>`
        : html`<button onClick=${() => (leaving.value = true)} disabled=${done}>Skip <${Hint} k="s" /></button>`}
      <button class="main" onClick=${handIn} disabled=${done || at.busy.value}>
        ${firstPass ? "Finish first pass" : amending ? "Amend" : "Hand in"} <${Hint} k="Ctrl+Enter" />
      </button>
    </div>
    ${at.lost.value && html`<p class="note" role="status">Your lease ran out and somebody else has this seat by now. Go on if you like: what you hand in is kept, marked as late.</p>`}
    ${done && !amending && !canary.value && html`<p class="note">This has been handed in. You can amend it from <a href=${`/p/${here.project}/history`}>your history</a>.</p>`}
    ${at.errors.value.length > 0 && html`<ul class="errors" role="alert">${at.errors.value.map((one) => html`<li>${visible(one.detail)}</li>`)}</ul>`}
    ${!done && html`<${Fitting} key=${`${at.id} ${at.conflict.value ? "both" : "one"}`} at=${at} seat=${seat} bench=${bench}
      fits=${() => (lacking(at.form.value, seat), form(at.form.value, seat))} empty=${() => empty(seat.view, seat.first_pass)} />`}
    ${at.conflict.value && html`<${Both} at=${at} />`}
    ${leaving.value && html`<${Leave} at=${at} />`}
    ${canary.value && html`<${Told} told=${canary.value} kind=${seat.kind} />`}
  `;
}

/**
 * The bench, where what is kept fits it. A draft that does not (of another version of the desk, or of a program) is
 * shown as text: nothing of it is lost, and the rest of the page is there.
 * @param {{at: Held, bench: any, fits: () => void, seat: any, empty: () => any}} props
 */
function Fitting({ at, bench, fits, seat, empty }) {
  const [broken, again] = useErrorBoundary();
  const anew = () => {
    at.edit(empty());
    again();
  };
  let wrong = broken;
  try {
    fits();
  } catch (error) {
    wrong ??= error;
  }
  if (!wrong) return html`<${bench} held=${at} seat=${seat} />`;
  return html`<section class="narrow" role="alert" data-unfit>
    <h2>This draft does not fit the form</h2>
    <p>Copy what you need of it, then begin anew, or skip this piece of work.</p>
    <pre class="clean"><code>${visible(JSON.stringify(at.form.value, null, 2))}</code></pre>
    <p><button class="main" onClick=${anew}>Begin anew</button></p>
  </section>`;
}

/** Two versions of a draft, side by side. @param {{at: Held}} props */
function Both({ at }) {
  const { mine, theirs } = at.conflict.value;
  return html`<${Dialog} wide title="This draft was changed elsewhere" onClose=${() => at.conflict.value && at.settle(mine)}>
    <p>Perhaps in another tab. Nothing is lost: choose which version to go on with. Closing keeps the one of this page.</p>
    <div class="both">
      <section aria-label="This page's"><h3>This page's</h3><${Plain} value=${mine} />
        <button class="main" onClick=${() => at.settle(mine)}>Keep this one</button></section>
      <section aria-label="The other"><h3>The other</h3><${Plain} value=${theirs} />
        <button onClick=${() => at.settle(theirs)}>Take this one</button></section>
    </div>
  <//>`;
}

const REASONS = ["I don't know this language or field", "The task can't be understood", "It is too long", "It may harm or offend"];

/** @param {{at: Held}} props */
function Leave({ at }) {
  const reason = useSignal("");
  const go = (/** @type {"skip" | "decline"} */ what) =>
    trying(async () => {
      if (!reason.value.trim()) throw new Error("Say why, in a word or two.");
      await at.leave(what, reason.value.trim());
      location.assign(`/p/${here.project}/work/${at.seat.value.kind}`);
    });
  return html`<${Dialog} title="Leave this one" onClose=${() => (leaving.value = false)}>
    <div class="row wrap">${REASONS.map((why) => html`<button onClick=${() => (reason.value = why)}>${why}</button>`)}</div>
    <label class="words"><span>Why?</span>
      <textarea rows="2" autofocus value=${reason.value} onInput=${(/** @type {any} */ e) => (reason.value = e.target.value)}></textarea></label>
    <p class="row">
      <button class="main" onClick=${() => go("skip")}>Skip for now</button>
      <button onClick=${() => go("decline")}>Never show it to me again</button>
    </p>
    <p class="quiet">Your draft is kept either way.</p>
  <//>`;
}

/** What a canary tells once it is handed in. @param {{told: any, kind: string}} props */
function Told({ told: shown, kind }) {
  return html`<${Dialog} title="That was a canary" onClose=${() => location.assign(`/p/${here.project}/work/${kind}`)}>
    <p class="canary ${shown.caught ? "good" : "bad"}">${shown.caught ? "You caught the bug that was put in." : "The bug that was put in was not among your comments."}</p>
    ${shown.bugs.map((/** @type {any} */ bug) => html`<p class="text">${visible(bug.description)}</p>`)}
    <p>The clean code:</p>
    <pre class="clean"><code>${visible(shown.twin)}</code></pre>
  <//>`;
}

const last = () => {
  const text = sessionStorage.getItem(LAST);
  const found = text ? JSON.parse(text) : null;
  return found && Date.now() - found.at < 600_000 ? found : null;
};

const undo = () =>
  trying(async () => {
    const found = last();
    if (!found) return;
    const { seat } = await post(`/submissions/${found.id}/undo`);
    sessionStorage.removeItem(LAST);
    location.assign(`/p/${here.project}/seat/${seat}`);
  });

const lastKeys = () => (last() ? [{ key: "u", does: "Take back what was handed in last", run: undo }] : []);

function Last() {
  const found = last();
  return (
    found &&
    html`<span class="last" role="status">Handed in${found.late ? " (late, and kept)" : ""} ${lasting(Date.now() - found.at)} ago.
      <button class="plain" onClick=${undo}>Undo <${Hint} k="u" /></button></span>`
  );
}

function Nothing() {
  const skip = () =>
    trying(async () => {
      await post(`/seats/${unreadable.value}/skip`, { reason: "It can't be shown." });
      location.assign(here.kind ? `/p/${here.project}/work/${here.kind}` : `/p/${here.project}`);
    });
  useKeys([...(unreadable.value ? [{ key: "s", does: "Skip it", run: skip }] : []), ...lastKeys()]);
  return html`<section class="narrow">
    <h1>${instead.value}</h1>
    ${unreadable.value && html`<p><button class="main" onClick=${skip}>Skip it <${Hint} k="s" /></button></p>`}
    <p><${Last} /></p>
    <p><a class="button main" href=${`/p/${here.project}`}>To the other work</a></p>
  </section>`;
}

start(function Page() {
  useEffect(() => void open(), []);
  if (held.value) return html`<${Bench} at=${held.value} />`;
  return instead.value ? html`<${Nothing} />` : html`<p class="quiet">${away.value ? "" : "Opening…"}</p>`;
});
