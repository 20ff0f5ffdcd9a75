import { call } from "../api.js";
import { html, start, told } from "../shell.js";
import { useSignal } from "../vendor.js";

start(
  function Page() {
    const wrong = useSignal("");
    const sent = useSignal(/** @type {boolean | null} */ (null));
    const send = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
      try {
        sent.value = (await call("POST", "/auth/forgot", { body: { email: form.get("email") }, stay: true })).mail;
      } catch (error) {
        wrong.value = told(error);
      }
    };
    return html`<section class="narrow"><form class="card" onSubmit=${send}>
      <h1>Forgot your password?</h1>
      ${sent.value === null && html`<p class="quiet field">We send you a link, with which you set a new one.</p>
        <label class="field"><span>Email</span><input name="email" type="email" autocomplete="username" required autofocus /></label>`}
      ${sent.value === true && html`<p role="status">If that address is known here, a link is on its way. It works once, within a day.</p>`}
      ${sent.value === false && html`<p role="status">This desk sends no mail. Ask an admin for a link: they find it under Manage, "Everybody on this desk".</p>`}
      ${wrong.value && html`<p class="errors" role="alert">${wrong.value}</p>`}
      ${sent.value === null && html`<button class="main">Send the link</button>`}
      <p class="quiet"><a href="/login">To log in</a></p>
    </form></section>`;
  },
  { open: true },
);
