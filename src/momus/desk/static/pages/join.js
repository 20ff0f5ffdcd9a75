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
        delete form.again;
        form.invite = key.value.trim().replace(/^.*#/, ""); // the whole address, or its key
        await call("POST", "/auth/accept", { body: form, stay: true });
        location.assign("/");
      } catch (error) {
        wrong.value = told(error);
      }
    };
    return html`<section class="narrow"><form class="card" onSubmit=${send}>
      <h1>Join</h1>
      <p class="quiet field">With the key that you were given. It holds once.</p>
      <label class="field"><span>Key</span><input name="invite" class="mono" autocomplete="off" required value=${key.value}
        onInput=${(/** @type {any} */ e) => (key.value = e.target.value)} /></label>
      <label class="field"><span>Email</span><input name="email" type="email" autocomplete="username" required /></label>
      <label class="field"><span>Name</span><input name="name" autocomplete="name" /></label>
      <label class="field"><span>Password</span><input name="password" type="password" autocomplete="new-password" required /></label>
      <label class="field"><span>Password again</span><input name="again" type="password" autocomplete="new-password" required /></label>
      ${wrong.value && html`<p class="errors" role="alert">${wrong.value}</p>`}
      <button class="main">Join</button>
    </form></section>`;
  },
  { open: true },
);
