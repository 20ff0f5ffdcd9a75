import { get } from "../api.js";
import { html, inProject, start, trying } from "../shell.js";
import { visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const versions = signal(/** @type {any[] | null} */ (null));
const shown = signal(0);

start(function Page() {
  useEffect(() => void trying(async () => (versions.value = await get(`${inProject}/guidelines`))), []);
  const found = versions.value?.[shown.value];
  return html`<div class="page">
    <h1>Guidelines</h1>
    ${versions.value?.length === 0 && html`<p class="empty">There are none yet.</p>`}
    ${found && html`
      <p class="row wrap">${versions.value?.map((one, i) => html`<button aria-pressed=${i === shown.value} onClick=${() => (shown.value = i)}>v${one.version}${i === 0 ? ", in force" : ""}</button>`)}
        <span class="quiet">${new Date(found.created).toLocaleString()}</span></p>
      <div class="guideline text">${visible(found.text)}</div>`}
  </div>`;
});
