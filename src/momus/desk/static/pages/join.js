import { startWithKey } from "../coming_in.js";
import { html } from "../shell.js";

startWithKey({
  title: "Join",
  button: "Join",
  path: "/auth/accept",
  body: (form, key) => ({ ...form, invite: key.trim().replace(/^.*#/, "") }), // the whole address, or its key
  before: (key) => html`<p class="quiet field">With the key that you were given. It works once.</p>
    <label class="field"><span>Key</span><input name="invite" class="mono" autocomplete="off" required value=${key.value}
      onInput=${(/** @type {any} */ e) => (key.value = e.target.value)} /></label>
    <label class="field"><span>Email</span><input name="email" type="email" autocomplete="username" required /></label>
    <label class="field"><span>Name</span><input name="name" autocomplete="name" /></label>`,
});
