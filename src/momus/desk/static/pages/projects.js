import { call, get, post } from "../api.js";
import { html, me, start, told, trying } from "../shell.js";
import { visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const projects = signal(/** @type {any[] | null} */ (null));
const busy = signal("");
/** Why an archive was not taken. */
const wrong = signal("");
const load = () => trying(async () => (projects.value = await get("/projects")));

start(function Page() {
  useEffect(() => void load(), []);
  const make = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
    trying(async () => location.assign(`/p/${(await post("/projects", form)).slug}/manage`));
  };
  const open = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const file = /** @type {File} */ (form.get("file"));
    [busy.value, wrong.value] = [`Reading ${file.name}…`, ""];
    try {
      const made = await call("POST", `/archives?slug=${encodeURIComponent(String(form.get("slug")))}`, { raw: file });
      location.assign(`/p/${made.slug}/manage`);
    } catch (error) {
      wrong.value = told(error);
    } finally {
      busy.value = "";
    }
  };
  return html`<div class="page">
    <h1>Projects</h1>
    <div class="kinds">${projects.value?.map((one) => html`<a class="kind" href=${`/p/${one.slug}`}><span class="head"><b>${visible(one.name)}</b></span><span class="quiet">${one.may.join(", ")}</span></a>`)}</div>
    ${projects.value?.length === 0 && html`<p class="empty">You are in no project yet.</p>`}
    ${me.value?.admin && html`<h2>New project</h2>
      <form class="row wrap" onSubmit=${make}>
        <label class="choice"><span>Short name</span><input name="slug" required pattern="[a-z0-9][a-z0-9\\-]*" /></label>
        <label class="choice"><span>Name</span><input name="name" required /></label>
        <button class="main">Make</button>
      </form>
      <h2>New project from an archive</h2>
      <form class="row wrap" onSubmit=${open}>
        <label class="choice"><span>Archive</span><input type="file" name="file" required /></label>
        <label class="choice"><span>Short name</span><input name="slug" required pattern="[a-z0-9][a-z0-9\\-]*" /></label>
        <button disabled=${busy.value !== ""}>Open the archive</button> <span class="quiet" role="status">${busy.value}</span>
      </form>
      <p class="quiet">An archive is what "archive" under Manage writes: a whole project with all its work. People in it can't log in.</p>
      ${wrong.value && html`<p class="errors" role="alert">${visible(wrong.value)}</p>`}`}
  </div>`;
});
