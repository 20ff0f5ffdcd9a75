import { call, get, post } from "../api.js";
import { here, html, inProject, say, start, trying } from "../shell.js";
import { lasting } from "../text.js";
import { signal, useEffect } from "../vendor.js";
import { Plain } from "../work/plain.js";

const rows = signal(/** @type {any[] | null} */ (null));
const open = signal(/** @type {number | null} */ (null));

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

/** Words can be put right at any time; the first version is kept. @param {any} one @param {string} text */
const amend = (one, text) =>
  trying(async () => {
    await call("POST", `/submissions/${one.id}/amend`, { body: { form: JSON.parse(text) }, headers: { "Idempotency-Key": `amend-${one.id}-${Date.now()}` } });
    say("Amended. What was handed in first is kept.");
    open.value = null;
    load();
  });

start(function Page() {
  useEffect(() => void load(), []);
  if (!rows.value) return html`<p class="quiet">Opening…</p>`;
  return html`<div class="page">
    <h1>What you handed in</h1>
    ${!rows.value.length && html`<p class="empty">Nothing yet.</p>`}
    ${rows.value.length > 0 && html`<div class="scroll"><table class="data">
      <thead><tr><th>When</th><th>Kind</th><th>State</th><th class="n">Active</th><th class="n">Guidelines</th><th>What</th></tr></thead>
      <tbody>${rows.value.map((one) => html`<tr>
        <td>${new Date(one.made).toLocaleString()}</td><td>${one.kind}</td>
        <td>${one.state}${one.late ? ", late" : ""}${one.over_time ? ", over time" : ""}</td>
        <td class="n">${lasting(one.active_ms)}</td><td class="n">${one.guideline ? `v${one.guideline}` : "–"}</td>
        <td>${open.value !== one.id && html`<button onClick=${() => (open.value = one.id)}>Look</button>`}
          ${one.state === "current" && !one.canary && html` <button onClick=${() => undo(one)}>Undo</button>`}
          ${open.value === one.id && html`<${Plain} value=${one.form} />
            ${one.state === "current" && !one.canary && html`<details><summary class="quiet">Amend, as JSON</summary>
              <form onSubmit=${(/** @type {any} */ e) => { e.preventDefault(); amend(one, e.target.form.value); }}>
                <textarea class="mono" name="form" rows="10" aria-label="The form, as JSON">${JSON.stringify(one.form, null, 2)}</textarea>
                <p class="row"><button class="main">Amend</button></p></form></details>`}`}</td>
      </tr>`)}</tbody></table></div>`}
  </div>`;
});
