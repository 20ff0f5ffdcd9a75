// The form by which somebody comes in with a key: an invite's, or that of a link for a new password.
import { call } from "./api.js";
import { html, start, told } from "./shell.js";
import { useSignal } from "./vendor.js";

/**
 * Show it. `path` takes what `body` makes of the fields and the key; `before` are fields above the two passwords.
 * @param {{title: string, button: string, path: string, body: (form: any, key: string) => any,
 *   before: (key: import("./vendor.js").Signal<string>) => any, closed?: boolean}} page
 */
export function startWithKey({ title, button, path, body, before, closed = false }) {
  start(
    function Page() {
      const wrong = useSignal("");
      const key = useSignal(decodeURIComponent(location.hash.slice(1)));
      const send = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const { again, ...form } = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
        try {
          if (form.password !== again) throw new Error("The two passwords differ.");
          await call("POST", path, { body: body(form, key.value), stay: true });
          location.assign("/");
        } catch (error) {
          wrong.value = told(error);
        }
      };
      return html`<section class="narrow"><form class="card" onSubmit=${send}>
        <h1>${title}</h1>
        ${before(key)}
        <label class="field"><span>Password</span><input name="password" type="password" autocomplete="new-password" required /></label>
        <label class="field"><span>Password again</span><input name="again" type="password" autocomplete="new-password" required /></label>
        ${wrong.value && html`<p class="errors" role="alert">${wrong.value}</p>`}
        <button class="main" disabled=${closed && !key.value}>${button}</button>
      </form></section>`;
    },
    { open: true },
  );
}
