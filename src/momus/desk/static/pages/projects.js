import { get, post } from "../api.js";
import { html, me, start, trying } from "../shell.js";
import { visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const projects = signal(/** @type {any[] | null} */ (null));
const load = () => trying(async () => (projects.value = await get("/projects")));

start(function Page() {
  useEffect(() => void load(), []);
  const make = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
    trying(async () => location.assign(`/p/${(await post("/projects", form)).slug}/manage`));
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
      </form>`}
  </div>`;
});
