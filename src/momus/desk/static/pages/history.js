import { get, post } from "../api.js";
import { here, html, inProject, start, trying } from "../shell.js";
import { lasting } from "../text.js";
import { signal, useEffect } from "../vendor.js";
import { Plain } from "../work/plain.js";
import { Answer, Item } from "../work/shown.js";

const rows = signal(/** @type {any[] | null} */ (null));
const open = signal(/** @type {number | null} */ (null));

const seat = signal(/** @type {any} */ (null));
/** Show what was handed in, beside what it was about. @param {any} one */
const look = (one) =>
  trying(async () => {
    seat.value = await get(`/seats/${one.seat}`).catch(() => null); // where it can't be shown, the form alone is
    open.value = one.id;
  });

const load = () =>
  trying(async () => {
    const found = [];
    for (let after = 0; ; ) {
      const page = await get(`${inProject}/submissions?most=200&after=${after}`);
      found.push(...page.submissions);
      if (page.next === null) break;
      after = page.next;
    }
    rows.value = found.reverse();
  });
const undo = (/** @type {any} */ one) =>
  trying(async () => location.assign(`/p/${here.project}/seat/${(await post(`/submissions/${one.id}/undo`)).seat}`));

start(function Page() {
  useEffect(() => void load(), []);
  if (!rows.value) return html`<p class="quiet">Opening…</p>`;
  return html`<div class="page">
    <h1>What you handed in</h1>
    ${!rows.value.length && html`<p class="empty">Nothing yet.</p>`}
    ${rows.value.length > 0 && html`<div class="scroll"><table class="data">
      <thead><tr><th>When</th><th>Kind</th><th>State</th><th class="n">Active</th><th class="n">Guidelines</th><th>What</th></tr></thead>
      <tbody>${rows.value.map((one) => html`<tr>
        <td data-of="When">${new Date(one.made).toLocaleString()}</td><td data-of="Kind">${one.kind}</td>
        <td data-of="State">${one.state}${one.late ? ", late" : ""}${one.over_time ? ", over time" : ""}</td>
        <td class="n" data-of="Active">${lasting(one.active_ms)}</td><td class="n" data-of="Guidelines">${one.guideline ? `v${one.guideline}` : "–"}</td>
        <td>${open.value !== one.id && html`<button onClick=${() => look(one)}>Look</button>`}
          ${one.state === "current" && !one.canary && html` <a class="button" href=${`/p/${here.project}/amend/${one.id}`}>Amend</a>
            <button onClick=${() => undo(one)}>Undo</button>`}
          ${one.canary && html`<span class="quiet"> a canary, ${one.canary.caught ? "caught" : "missed"}</span>`}
          ${open.value === one.id && (seat.value && one.kind !== "recheck"
            ? html`<div class="bench"><section class="left"><${Item} view=${one.kind === "tamper" ? { question: seat.value.view.task.question } : seat.value.view} /></section>
                <section class="right"><${Answer} kind=${one.kind} view=${seat.value.view} form=${one.form} /></section></div>`
            : html`<${Plain} value=${one.form} />`)}</td>
      </tr>`)}</tbody></table></div>`}
  </div>`;
});
