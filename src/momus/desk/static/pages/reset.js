import { startWithKey } from "../coming_in.js";
import { html } from "../shell.js";

startWithKey({
  title: "New password",
  button: "Set password",
  path: "/auth/reset",
  closed: true,
  body: (form, key) => ({ password: form.password, key }),
  before: (key) =>
    key.value
      ? html`<p class="quiet field">This link works once. Your other sessions and API tokens will end.</p>`
      : html`<p class="errors" role="alert">This address has no key: open the link that you were sent.</p>`,
});
