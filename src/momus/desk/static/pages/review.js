import { call, finished, get, post } from "../api.js";
import { Code, CodeHandle } from "../code.js";
import { Comment } from "../fields.js";
import { useKeys } from "../keys.js";
import { Hint, html, inProject, say, start, told, trying } from "../shell.js";
import { linesOf, visible } from "../text.js";
import { signal, useEffect, useMemo, useSignal } from "../vendor.js";

const reviews = signal(/** @type {any[]} */ ([]));
const shown = signal(/** @type {any} */ (null));
const busy = signal("");
const running = signal("");
/** Comments below this confidence are hidden; those without one are always shown. */
const dial = signal(0);

const load = () => trying(async () => (reviews.value = await get(`${inProject}/reviews`)));

/** Have code reviewed, and show it. @param {{name: string, question: string, code: string}} asked */
async function review(asked) {
  busy.value = "The critic reads…";
  try {
    const made = await post(`${inProject}/reviews`, { ...asked, language: /\.(js|ts|go|rs|c|h|cpp|java)$/.test(asked.name) ? "text" : "python" });
    running.value = made.job;
    await finished(made.job);
    shown.value = await get(`${inProject}/reviews/${made.id}`);
    load();
  } catch (error) {
    say(told(error), true);
  } finally {
    busy.value = running.value = "";
  }
}

function Paste() {
  const code = useSignal("");
  const name = useSignal("");
  const question = useSignal("");
  const open = async (/** @type {any} */ event) => {
    const file = event.target.files[0];
    if (!file) return;
    name.value = file.name;
    code.value = await file.text();
  };
  const send = () => {
    if (!code.value.trim()) return say("Paste some code first.", true);
    review({ name: name.value, question: question.value, code: code.value });
  };
  useKeys([{ key: "Ctrl+Enter", does: "Review it", run: send }]);
  return html`<div class="page">
    <h1>Review code</h1>
    <div class="row wrap"><label class="choice"><span>Open a file</span><input type="file" onChange=${open} /></label>
      <label class="choice"><span>Name</span><input value=${name.value} onInput=${(/** @type {any} */ e) => (name.value = e.target.value)} /></label></div>
    <label class="words"><span>Code</span><textarea class="mono" rows="16" spellcheck="false" value=${code.value} onInput=${(/** @type {any} */ e) => (code.value = e.target.value)}></textarea></label>
    <label class="words"><span>What it should do <span class="quiet">if you like</span></span><textarea rows="2" value=${question.value} onInput=${(/** @type {any} */ e) => (question.value = e.target.value)}></textarea></label>
    <p class="row"><button class="main" disabled=${busy.value !== ""} onClick=${send}>${busy.value || "Review"} <${Hint} k="Ctrl+Enter" /></button>
      ${running.value && html`<button onClick=${() => trying(() => call("DELETE", `/jobs/${running.value}`))}>Cancel</button>`}</p>
    ${reviews.value.length > 0 && html`<h2>Earlier ones</h2><table class="data"><thead><tr><th>Name</th><th>Code</th><th>Comments</th><th></th></tr></thead>
      <tbody>${reviews.value.map((one) => html`<tr><td data-of="Name">${visible(one.name) || "–"}</td><td data-of="Code"><code>${visible(one.code.split("\n")[0].slice(0, 60))}</code></td><td data-of="Comments">${one.comments?.length ?? "waiting"}</td>
        <td><button onClick=${() => (shown.value = one)}>Look</button></td></tr>`)}</tbody></table>`}
  </div>`;
}

function Shown() {
  const one = shown.value;
  const handle = useMemo(() => new CodeHandle(), []);
  const at = useSignal(0);
  const why = useSignal(/** @type {Record<string, string>} */ ({}));
  /** @type {{comment: any, i: number}[]} */
  const all = (one.comments ?? []).map((/** @type {any} */ comment, /** @type {number} */ i) => ({ comment, i }));
  const found = all.filter(({ comment }) => comment.confidence === null || comment.confidence >= dial.value);
  const lit = found[Math.min(at.value, found.length - 1)];
  const go = (/** @type {number} */ to) => {
    at.value = Math.max(0, Math.min(found.length - 1, to));
    if (found[at.value]) handle.reveal(found[at.value].comment.highlight);
  };
  const label = (/** @type {number} */ i, /** @type {string} */ verdict) =>
    trying(async () => {
      const reason = why.value[i] ?? one.labels[i]?.reason ?? "";
      if (verdict === "dismiss" && !reason.trim()) {
        /** @type {HTMLElement | null} */ (document.querySelector(`[data-finding="${i}"] input`))?.focus();
        throw new Error("Say why it is dismissed, in a word or two.");
      }
      shown.value = await call("PUT", `${inProject}/reviews/${one.id}/comments/${i}`, { body: { verdict, reason } });
      say(verdict === "accept" ? "Accepted." : "Dismissed.");
    });
  useKeys([
    { key: "j", does: "The next comment", run: () => go(at.value + 1) },
    { key: "k", does: "The comment before", run: () => go(at.value - 1) },
    { key: "a", does: "Accept the comment", run: () => lit && label(lit.i, "accept") },
    { key: "x", does: "Dismiss it, with a reason", run: () => lit && label(lit.i, "dismiss") },
    { key: "r", does: "To its reason", run: () => lit && /** @type {HTMLElement | null} */ (document.querySelector(`[data-finding="${lit.i}"] input`))?.focus() },
    { key: "-", does: "Show more, the less sure ones too", run: () => (dial.value = Math.max(0, Math.round((dial.value - 0.05) * 100) / 100)) },
    { key: "+", does: "Show only what is surer", run: () => (dial.value = Math.min(1, Math.round((dial.value + 0.05) * 100) / 100)) },
    { key: "b", does: "Back to the code to be reviewed", run: () => (shown.value = null) },
  ]);
  return html`
    <div class="seat-bar"><h1>${visible(one.name) || "Review"}</h1>
      <span class="quiet">${found.length} shown, ${all.length - found.length} hidden</span><span class="grow"></span>
      <label class="choice"><span>Confidence at least ${Math.round(dial.value * 100)}%</span>
        <input type="range" min="0" max="1" step="0.01" value=${dial.value} onInput=${(/** @type {any} */ e) => (dial.value = Number(e.target.value))} /></label>
      <button onClick=${() => (shown.value = null)}>Other code <${Hint} k="b" /></button></div>
    <div class="bench">
      <section class="left" aria-label="The code">
        <${Code} text=${one.code} language=${one.language} label="The code under review" handle=${handle} onMark=${(/** @type {string} */ id) => go(found.findIndex(({ i }) => `${i}` === id))}
          marks=${found.map(({ comment, i }) => ({ ...comment.highlight, id: `${i}`, tone: comment.severity, lit: i === lit?.i }))} />
      </section>
      <section class="right" aria-label="Findings">
        ${!found.length && html`<p class="empty">${all.length ? "All comments are below the dial." : "No problems found."}</p>`}
        <ol class="comments">${found.map(({ comment, i }, place) => html`<li class="finding ${one.labels[i]?.verdict ?? ""} ${i === lit?.i ? "lit" : ""}" data-finding=${i} onClick=${() => place !== at.value && go(place)}>
          <ul><${Comment} comment=${comment} number=${i + 1}>
            <span class="quiet">line ${linesOf(one.code, comment.highlight)}</span>
            ${comment.evidence && html`<span class="evidence ${comment.evidence.badge}">${visible(comment.evidence.text)}</span>`}
            ${comment.confidence !== null && html`<span class="quiet">${Math.round(comment.confidence * 100)}% sure</span>`}<//></ul>
          <div class="said-of">
            <button aria-pressed=${one.labels[i]?.verdict === "accept"} onClick=${() => label(i, "accept")}>Accept <${Hint} k="a" /></button>
            <button aria-pressed=${one.labels[i]?.verdict === "dismiss"} onClick=${() => label(i, "dismiss")}>Dismiss <${Hint} k="x" /></button>
            <input aria-label=${`Why, of comment ${i + 1}`} placeholder="why?" value=${why.value[i] ?? one.labels[i]?.reason ?? ""}
              onInput=${(/** @type {any} */ e) => (why.value = { ...why.value, [i]: e.target.value })}
              onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Enter" && label(i, one.labels[i]?.verdict ?? "dismiss")} />
          </div></li>`)}</ol>
      </section>
    </div>`;
}

start(function Page() {
  useEffect(() => void load(), []);
  return shown.value ? html`<${Shown} key=${shown.value.id} />` : html`<${Paste} />`;
});
