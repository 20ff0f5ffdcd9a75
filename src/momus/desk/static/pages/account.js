import { call, get, post } from "../api.js";
import { setSingleKeys, singleKeys } from "../keys.js";
import { html, me, say, start, trying } from "../shell.js";
import { visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const SCOPES = ["read", "work", "recheck", "stats", "manage", "admin"];
const tokens = signal(/** @type {any[]} */ ([]));
const key = signal("");
const load = () => trying(async () => (tokens.value = await get("/tokens")));

start(function Page() {
  useEffect(() => void load(), []);
  const password = (/** @type {any} */ event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target));
    trying(async () => {
      await post("/auth/password", form);
      event.target.reset();
      say("Changed. All other sessions and API tokens have ended.");
      load();
    });
  };
  const make = (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    trying(async () => {
      key.value = (await post("/tokens", { name: form.get("name"), scopes: form.getAll("scope"), days: Number(form.get("days")) })).key;
      load();
    });
  };
  return html`<div class="page">
    <h1>${visible(me.value?.name ?? "")}</h1>
    <p class="quiet">${visible(me.value?.email ?? "")}</p>
    <label class="check"><input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ e) => setSingleKeys(e.target.checked)} /> Single keys do things</label>
    <h2>Password</h2>
    <form class="row wrap" onSubmit=${password}>
      <label class="choice"><span>Old</span><input name="old" type="password" autocomplete="current-password" required /></label>
      <label class="choice"><span>New</span><input name="new" type="password" autocomplete="new-password" required /></label>
      <button>Change</button>
    </form>
    <h2>API tokens</h2>
    <form class="row wrap" onSubmit=${make}>
      <label class="choice"><span>Name</span><input name="name" required /></label>
      <label class="choice"><span>Days</span><input name="days" type="number" min="1" max="3650" value="90" /></label>
      ${SCOPES.map((one) => html`<label class="check"><input type="checkbox" name="scope" value=${one} checked=${one === "read"} /> ${one}</label>`)}
      <button>Make</button>
    </form>
    ${key.value && html`<p class="key" role="status">Shown this once: <code>${key.value}</code></p>`}
    ${tokens.value.length > 0 && html`<table class="data"><thead><tr><th>Name</th><th>Scopes</th><th>Until</th><th></th></tr></thead>
      <tbody>${tokens.value.map((one) => html`<tr><td data-of="Name">${visible(one.name)}</td><td data-of="Scopes">${one.scopes.join(", ")}</td><td data-of="Until">${one.expires ? new Date(one.expires).toLocaleDateString() : "–"}</td>
        <td><button onClick=${() => trying(async () => { await call("DELETE", `/tokens/${one.id}`); load(); })}>Revoke</button></td></tr>`)}</tbody></table>`}
  </div>`;
});
