import { call, finished, get, post } from "../api.js";
import { html, inProject, me, project, say, start, trying } from "../shell.js";
import { visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const KINDS = ["tamper", "rate", "write", "team", "compare", "judge", "grade", "canary"];
const ROLES = ["annotator", "reviewer", "manager", "viewer"];
const FORMATS = ["archive", "records", "preferences", "hf", "parquet"];
const DESIGN = [
  ["lease_s", "Lease, seconds"], ["assisted", "Share with the critic"], ["judge_limit_s", "Judging, seconds"],
  ["canary_every", "A canary in every … items (0: none)"], ["canary_exposures", "People who see a canary"],
];
const at = signal(/** @type {any} */ (null));
const key = signal("");
const busy = signal("");
/** Which pass of the ratings an export puts where a reward model is trained from. */
const passed = signal("second");

const load = () =>
  trying(async () => {
    const [members, invites, guidelines, assignments, users] = await Promise.all([
      get(`${inProject}/members`), get(`${inProject}/invites`), get(`${inProject}/guidelines`),
      get(`${inProject}/assignments?most=200`), me.value?.admin ? get("/users") : Promise.resolve([]),
    ]);
    at.value = { members, invites, guidelines, assignments: assignments.assignments, more: assignments.next !== null, users };
  });
/** @param {() => Promise<any>} work @param {string} [then] */
const doing = (work, then) => trying(async () => { await work(); if (then) say(then); await load(); });
/** @param {any} event */
const fields = (event) => { event.preventDefault(); return Object.fromEntries(new FormData(event.target)); };
/** @param {{label: string, name: string, options: string[], value?: string}} props */
const Select = ({ label, name, options, value }) => html`<label class="choice"><span>${label}</span><select name=${name}>${options.map((one) => html`<option selected=${one === value}>${one}</option>`)}</select></label>`;

/** @param {any} event */
const compare = (event) => {
  const form = fields(event);
  doing(async () => {
    const { job } = await post(`${inProject}/comparisons`, Object.fromEntries(Object.entries(form).map(([name, value]) => [name, Number(value)])));
    busy.value = "The critic writes…";
    try {
      await finished(job, (one) => (busy.value = `The critic writes: ${one.done} of ${one.total || "?"}`));
    } finally {
      busy.value = "";
    }
  }, "Made: they wait under rate.");
};

/** @param {any} event */
const check = (event) => {
  const form = fields(event);
  trying(async () => {
    const { made } = await post(`${inProject}/rechecks`, { kind: form.kind, share: Number(form.share) });
    say(`${made} made.`);
  });
};

function People() {
  return html`<h2>People</h2>
    <div class="scroll"><table class="data"><thead><tr><th>Name</th><th>Email</th><th>Pseudonym</th><th>Role</th><th></th></tr></thead><tbody>
      ${at.value.members.map((/** @type {any} */ one) => html`<tr><td data-of="Name">${visible(one.name)}</td><td data-of="Email">${visible(one.email)}</td><td data-of="Pseudonym">${one.pseudonym}</td>
        <td data-of="Role"><select aria-label=${`Role of ${one.name}`} onChange=${(/** @type {any} */ e) => doing(() => call("PUT", `${inProject}/members/${one.id}`, { body: { role: e.target.value } }), "Changed.")}>${ROLES.map((role) => html`<option selected=${role === one.role}>${role}</option>`)}</select></td>
        <td><button onClick=${() => doing(() => call("DELETE", `${inProject}/members/${one.id}`), "Gone from the project; what they did stays.")}>Remove</button></td></tr>`)}
    </tbody></table></div>
    <form class="row wrap" onSubmit=${(/** @type {any} */ e) => { const form = fields(e); doing(async () => { key.value = `join#${encodeURIComponent((await post(`${inProject}/invites`, { email: form.email || null, role: form.role })).key)}`; }); }}>
      <label class="choice"><span>Email (only they may use it)</span><input name="email" type="email" /></label>
      <${Select} label="Role" name="role" options=${ROLES} /><button class="main">Invite</button></form>
    ${key.value && html`<p class="key" role="status">Give them this address. It is shown this once, and holds once: <br /><code data-invite>${`${location.origin}/${key.value}`}</code></p>`}
    ${at.value.invites.length > 0 && html`<p class="quiet">Open invites</p><table class="data"><tbody>${at.value.invites.map((/** @type {any} */ one) => html`<tr><td>${visible(one.email ?? "anybody with the key")}</td><td>${one.role}</td><td>until ${new Date(one.expires).toLocaleString()}</td>
      <td><button onClick=${() => doing(() => call("DELETE", `${inProject}/invites/${one.id}`))}>Withdraw</button></td></tr>`)}</tbody></table>`}
    ${at.value.users.length > 0 && html`<details><summary class="quiet">Everybody on this desk</summary><table class="data"><tbody>${at.value.users.map((/** @type {any} */ one) => html`<tr><td>${visible(one.name)}</td><td>${visible(one.email)}</td><td>${one.admin ? "admin" : ""}</td>
      <td>${one.email !== me.value?.email && html`<button onClick=${() => doing(() => call("PATCH", `/users/${one.id}`, { body: { active: !one.active } }))}>${one.active ? "Switch off" : "Switch on"}</button>
        ${one.active && html`<button onClick=${() => doing(async () => { key.value = `reset#${encodeURIComponent((await post(`/users/${one.id}/reset`)).key)}`; })}>New password</button>`}
        <button onClick=${() => doing(() => call("PATCH", `/users/${one.id}`, { body: { admin: !one.admin } }))}>${one.admin ? "No admin" : "Make admin"}</button>`}</td></tr>`)}</tbody></table></details>`}`;
}

function Design() {
  const design = project.value.design;
  const send = (/** @type {any} */ event) => {
    const { name, names, ...form } = fields(event);
    const numbers = Object.fromEntries(Object.entries(form).map(([one, value]) => [one, Number(value)]));
    const words = String(names).split(",").map((one) => one.trim()).filter(Boolean);
    doing(async () => (project.value = await call("PATCH", inProject, { body: { name, design: { ...numbers, names: words } } })), "Kept. It holds for what comes.");
  };
  return html`<h2>Design</h2><form onSubmit=${send}><div class="form-grid">
      <label class="field"><span>Name</span><input name="name" value=${project.value.name} required /></label>
      ${DESIGN.map(([name, label]) => html`<label class="field"><span>${label}</span><input name=${name} type="number" step=${name === "assisted" ? "0.05" : "1"} min="0" value=${design[name]} required /></label>`)}
      <label class="field"><span>Names to hide in texts, by commas</span><input name="names" value=${design.names.join(", ")} /></label>
    </div><button>Keep</button></form>`;
}

start(function Page() {
  useEffect(() => void load(), []);
  if (!at.value || !project.value) return html`<p class="quiet">Opening…</p>`;
  if (!project.value.may.includes("manage")) return html`<p class="empty">Your role here does not manage the project.</p>`;
  return html`<div class="page">
    <div class="row"><h1>Manage</h1><span class="grow"></span><span class="quiet" role="status">${busy.value}</span></div>
    <h2>Bring work in</h2>
    <p class="row wrap"><a class="button main" href=${`/p/${project.value.slug}/import`}>Import work…</a><span class="quiet">from JSON lines, CSV, Parquet, a data set, Label Studio or Argilla</span></p>
    <form class="row wrap" onSubmit=${compare}><span>Make comparisons of the tampers handed in:</span>
      <label class="choice"><span>Critiques sampled</span><input name="n" type="number" min="1" max="32" value="4" /></label>
      <label class="choice"><span>in each</span><input name="size" type="number" min="2" max="10" value="4" /></label>
      <label class="choice"><span>People each</span><input name="overlap" type="number" min="1" max="100" value="1" /></label><button>Make</button></form>
    <form class="row wrap" onSubmit=${check}><span>Have work looked at again:</span><${Select} label="Kind" name="kind" options=${KINDS.slice(0, -1)} />
      <label class="choice"><span>Share</span><input name="share" type="number" min="0.01" max="1" step="0.01" value="0.1" /></label><button>Make</button></form>
    <h2>Take work out</h2>
    <p class="row wrap">${FORMATS.map((form) => html`<a class="button" download href=${`/api/v1${inProject}/exports/${form}?pass=${passed.value}`}>${form}</a>`)}
      <label class="choice"><span>Ratings that train</span><select onChange=${(/** @type {any} */ e) => (passed.value = e.target.value)}>
        <option value="second" selected=${passed.value === "second"}>second pass: after the bug was shown</option>
        <option value="first" selected=${passed.value === "first"}>first pass: before it was shown</option></select></label></p>
    <${People} />
    <h2>Guidelines</h2>
    <form onSubmit=${(/** @type {any} */ e) => { const form = fields(e); doing(() => post(`${inProject}/guidelines`, { text: form.text }), "A new version is in force."); }}>
      <label class="words"><span>${at.value.guidelines.length ? `Version ${at.value.guidelines[0].version} is in force` : "None yet"}</span><textarea name="text" rows="8" required>${at.value.guidelines[0]?.text ?? ""}</textarea></label>
      <p class="row"><button>Make it a new version</button></p></form>
    <${Design} />
    <h2>Assignments</h2>
    <div class="scroll"><table class="data"><thead><tr><th>Id</th><th>Kind</th><th>State</th><th>Seats</th><th>People</th><th>Priority</th><th></th></tr></thead><tbody>
      ${at.value.assignments.map((/** @type {any} */ one) => html`<tr><td data-of="Id">${one.id}</td><td data-of="Kind">${one.kind}${one.canary ? " (canary)" : ""}</td><td data-of="State">${one.state}</td>
        <td data-of="Seats">${Object.entries(one.seats).map(([state, count]) => `${count} ${state}`).join(", ")}</td>
        <td data-of="People"><input type="number" aria-label=${`People for ${one.id}`} min=${one.overlap} max="100" value=${one.overlap} disabled=${one.canary || one.state === "withdrawn"} onChange=${(/** @type {any} */ e) => doing(() => call("PATCH", `${inProject}/assignments/${one.id}`, { body: { overlap: Number(e.target.value) } }), "More people will get it.")} /></td>
        <td data-of="Priority"><input type="number" aria-label=${`Priority of ${one.id}`} min="-1000" max="1000" value=${one.priority} onChange=${(/** @type {any} */ e) => doing(() => call("PATCH", `${inProject}/assignments/${one.id}`, { body: { priority: Number(e.target.value) } }))} /></td>
        <td>${one.state === "open" && html`<button onClick=${() => confirmed(`Withdraw ${one.id}? This can't be undone.`) && doing(() => call("PATCH", `${inProject}/assignments/${one.id}`, { body: { withdrawn: true } }))}>Withdraw</button>`}
          ${(one.seats.submitted ?? 0) > 1 && one.kind !== "recheck" && html` <button onClick=${() => doing(() => post(`${inProject}/rechecks`, { assignment: one.id }), "Somebody decides.")}>Decide</button>`}</td></tr>`)}
    </tbody></table></div>
    ${at.value.more && html`<p class="quiet">The first 200 are shown.</p>`}
  </div>`;
});

const confirmed = (/** @type {string} */ question) => confirm(question);
