import { call } from "../api.js";
import { html, start, told } from "../shell.js";
import { useSignal } from "../vendor.js";

/** Where to go on: a path of the desk's own, whatever the address says. */
function next() {
  const asked = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return asked.origin === location.origin ? asked.pathname : "/";
}

start(
  function Page() {
    const wrong = useSignal("");
    const send = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
      try {
        await call("POST", "/auth/login", { body: { email: form.get("email"), password: form.get("password") }, stay: true });
        location.assign(next());
      } catch (error) {
        wrong.value = told(error);
      }
    };
    return html`<section class="narrow"><form class="card" onSubmit=${send}>
      <h1>Momus desk</h1>
      <p class="quiet field">Who works here was invited. If you have a key, <a href="/join">join</a>.</p>
      <label class="field"><span>Email</span><input name="email" type="email" autocomplete="username" required autofocus /></label>
      <label class="field"><span>Password</span><input name="password" type="password" autocomplete="current-password" required /></label>
      ${wrong.value && html`<p class="errors" role="alert">${wrong.value}</p>`}
      <button class="main">Log in</button>
      <p class="quiet"><a href="/forgot">Forgot your password?</a></p>
    </form></section>`;
  },
  { open: true },
);
