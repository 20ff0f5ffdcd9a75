import { call } from "../api.js";
import { html, start, told } from "../shell.js";
import { useSignal } from "../vendor.js";

start(
  function Page() {
    const wrong = useSignal("");
    const key = useSignal(decodeURIComponent(location.hash.slice(1)));
    const send = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const form = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
      try {
        if (form.password !== form.again) throw new Error("The two passwords differ.");
        await call("POST", "/auth/reset", { body: { key: key.value, password: form.password }, stay: true });
        location.assign("/");
      } catch (error) {
        wrong.value = told(error);
      }
    };
    return html`<section class="narrow"><form class="card" onSubmit=${send}>
      <h1>New password</h1>
      ${key.value
        ? html`<p class="quiet field">This link works once. Your other sessions and API tokens will end.</p>`
        : html`<p class="errors" role="alert">This address has no key: open the link that you were sent.</p>`}
      <label class="field"><span>Password</span><input name="password" type="password" autocomplete="new-password" required /></label>
      <label class="field"><span>Password again</span><input name="again" type="password" autocomplete="new-password" required /></label>
      ${wrong.value && html`<p class="errors" role="alert">${wrong.value}</p>`}
      <button class="main" disabled=${!key.value}>Set password</button>
    </form></section>`;
  },
  { open: true },
);
