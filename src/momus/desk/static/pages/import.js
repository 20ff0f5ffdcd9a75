// Bring work in: choose a file, see what its columns are taken for and what people would get, mend, and import.
import { call } from "../api.js";
import { html, inProject, project, say, start, told } from "../shell.js";
import { tarOf } from "../tar.js";
import { visible } from "../text.js";
import { signal } from "../vendor.js";

/** What people will do with it, in their words. */
const KINDS = [
  ["tamper", "Insert a bug", "People put a bug into a correct answer and describe it."],
  ["write", "Write a critique", "People look for bugs in an answer and comment on them."],
  ["team", "Write with the critic", "People start from a critique: they keep, edit, drop and add comments."],
  ["rate", "Rate critiques", "People score several critiques of one answer, without knowing who wrote them."],
  ["compare", "Compare two answers", "People say which of two answers they prefer."],
  ["judge", "Pick the answer that passes", "People say which of two answers passes its tests."],
  ["grade", "Grade a bug", "People say how severe a known bug is, and how hard to find."],
  ["canary", "Hidden check", "A known bug, slipped in among the other work to measure attention."],
];
const FORMS = /** @type {Record<string, string>} */ ({ jsonl: "JSON lines", json: "a JSON list", csv: "CSV", parquet: "Parquet", arrow: "Arrow" });
const MOST_BYTES = 50_000_000;

const kind = signal("tamper");
/** What was chosen: a file, or a folder packed as tar. */
const file = signal(/** @type {Blob | null} */ (null));
const name = signal("");
/** What the server says of it. */
const looked = signal(/** @type {any} */ (null));
/** What can't be taken as a whole. */
const refused = signal(/** @type {any[]} */ ([]));
const busy = signal("");
const added = signal(/** @type {any} */ (null));
const goodOnly = signal(false);
/** Which look is the last one: the answer to an earlier one is of no use. */
let turn = 0;

/** @param {Record<string, any>} more */
const query = (more) => new URLSearchParams(Object.entries(more).filter(([, value]) => value !== undefined && value !== "").map(([key, value]) => [key, String(value)]));

/** Ask what the file holds. @param {any} [mapping] @param {string} [table] */
async function look(mapping, table) {
  if (!file.value) return;
  const mine = ++turn;
  busy.value = `Reading ${name.value}…`;
  refused.value = [];
  added.value = null;
  try {
    const asked = query({ kind: kind.value, table, columns: mapping && JSON.stringify(mapping) });
    const seen = await call("POST", `${inProject}/imports/check?${asked}`, { raw: file.value });
    if (mine === turn) [looked.value, goodOnly.value] = [seen, false];
  } catch (error) {
    if (mine !== turn) return;
    looked.value = null;
    refused.value = [{ row: 0, said: told(error), remedy: "" }];
    if (/** @type {any} */ (error).errors?.length) refused.value = /** @type {any} */ (error).errors;
  } finally {
    if (mine === turn) busy.value = "";
  }
}

/** @param {any} event */
async function bring(event) {
  event.preventDefault();
  const form = new FormData(event.target);
  const seen = looked.value;
  busy.value = "Importing…";
  try {
    const asked = query({
      kind: kind.value, overlap: form.get("overlap"), priority: form.get("priority"), table: seen.table,
      columns: seen.records ? undefined : JSON.stringify(seen.mapping), good_only: goodOnly.value,
    });
    added.value = await call("POST", `${inProject}/imports?${asked}`, { raw: /** @type {Blob} */ (file.value) });
    [looked.value, file.value] = [null, null];
    for (const one of document.querySelectorAll("input[type=file]")) afresh({ target: one });
    say("Imported.");
  } catch (error) {
    say(told(error), true);
  } finally {
    busy.value = "";
  }
}

/** @param {any} event */
async function choose(event) {
  const chosen = [.../** @type {File[]} */ (event.target.files)];
  if (!chosen.length) return;
  const folder = chosen.some((one) => one.webkitRelativePath);
  looked.value = added.value = null;
  const size = chosen.reduce((sum, one) => sum + one.size, 0);
  if (size > MOST_BYTES * 4) return void (refused.value = [{ row: 0, said: "That is too large.", remedy: "Bring it in in parts, or with momus desk import on the server." }]);
  name.value = folder ? chosen[0].webkitRelativePath.split("/")[0] : chosen[0].name;
  file.value = folder ? await tarOf(chosen) : chosen[0];
  await look();
}

/** Let the same file be chosen again, once it was mended: a browser says nothing of one that it has already. @param {any} event */
const afresh = (event) => (event.target.value = "");

function Choose() {
  const at = KINDS.find(([one]) => one === kind.value) ?? KINDS[0];
  return html`<section class="step"><h2>1. What people will do</h2>
    <div class="row wrap"><label class="choice"><span>Work</span><select name="kind" onChange=${(/** @type {any} */ e) => { kind.value = e.target.value; look(); }}>
      ${KINDS.map(([one, label]) => html`<option value=${one} selected=${one === kind.value}>${label}</option>`)}</select></label>
      <span class="quiet">${at[2]}</span></div>
    <p class="row wrap quiet">Sample file: ${["csv", "jsonl"].map((form) => html`<a class="button" download href=${`/api/v1${inProject}/imports/samples/${kind.value}/${form}`}>${form === "csv" ? "CSV" : "JSON lines"}</a>`)}</p>
    <h2>2. The file</h2>
    <p class="row wrap">
      <label class="choice"><span>File</span><input type="file" name="file" onClick=${afresh} onChange=${choose} /></label>
      <label class="choice"><span>or folder</span><input type="file" name="folder" webkitdirectory onClick=${afresh} onChange=${choose} /></label></p>
    <p class="quiet">JSON lines, a JSON list, CSV, Parquet, a data set's folder (also as zip or tar), or an export of Label Studio or Argilla. Up to ${MOST_BYTES / 1e6} MB.</p>
  </section>`;
}

/** Which column is which field. @param {{seen: any}} props */
function Mapping({ seen }) {
  const set = (/** @type {string} */ field, /** @type {any} */ value) => look({ ...seen.mapping, [field]: value }, seen.table);
  const sample = (/** @type {any} */ value) => seen.columns.filter((/** @type {any} */ one) => one.name === value || value?.includes?.(one.name)).map((/** @type {any} */ one) => one.sample).join(" · ");
  return html`<section class="step"><h2>3. Columns</h2>
    <table class="data mapping"><thead><tr><th>Field</th><th>Column in the file</th><th>First value</th></tr></thead><tbody>
    ${seen.fields.map((/** @type {any} */ field) => html`<tr class=${field.needed && !seen.mapping[field.name] ? "missing" : ""}>
      <td data-of="Field"><b>${field.label}</b>${field.needed && html` <span class="quiet">needed</span>`}${field.hint && html`<br /><span class="quiet">${field.hint}</span>`}</td>
      <td data-of="Column">${field.many ? html`<${Several} field=${field} seen=${seen} set=${set} />`
        : html`<select aria-label=${`Column for ${field.label}`} data-field=${field.name} onChange=${(/** @type {any} */ e) => set(field.name, e.target.value)}>
            <option value="" selected=${!seen.mapping[field.name]}>None</option>
            ${seen.columns.map((/** @type {any} */ one) => html`<option value=${one.name} selected=${seen.mapping[field.name] === one.name}>${one.name}</option>`)}</select>`}</td>
      <td data-of="First value" class="sample">${visible(field.many ? "" : sample(seen.mapping[field.name]))}</td></tr>`)}
    </tbody></table>
    ${seen.unused.length > 0 && html`<p class="quiet" data-unused>Not used: ${seen.unused.join(", ")}</p>`}
  </section>`;
}

/** @param {{field: any, seen: any, set: (field: string, value: any) => void}} props */
function Several({ field, seen, set }) {
  const chosen = [seen.mapping[field.name] ?? []].flat();
  return html`<fieldset class="several"><legend class="unsaid">${field.label}</legend>${seen.columns.map((/** @type {any} */ one) => html`<label class="check"><input type="checkbox" checked=${chosen.includes(one.name)}
    onChange=${(/** @type {any} */ e) => set(field.name, e.target.checked ? [...chosen, one.name] : chosen.filter((name) => name !== one.name))} /> ${visible(one.name)}</label>`)}</fieldset>`;
}

/** What is wrong, row by row. @param {{errors: any[], wrong: number}} props */
function Wrong({ errors, wrong }) {
  return html`<section class="step" role="alert"><h2>${wrong > 1 ? `${wrong} rows can't be imported` : wrong ? "1 row can't be imported" : "This can't be imported yet"}</h2>
    <table class="data wrong"><thead><tr><th>Row</th><th>Field</th><th>What is wrong</th><th>What to do</th></tr></thead><tbody>
    ${errors.map((one) => html`<tr><td data-of="Row">${one.row ? `${one.file ? `${one.file} ` : ""}${one.row}` : "all"}</td><td data-of="Field">${visible(one.field ?? "")}</td>
      <td data-of="What is wrong">${visible(one.said ?? one.detail)}</td><td data-of="What to do">${visible(one.remedy ?? "")}</td></tr>`)}
    </tbody></table>${wrong > errors.length && html`<p class="quiet">The first ${errors.length} are shown.</p>`}</section>`;
}

/** @param {{seen: any}} props */
function Preview({ seen }) {
  return html`<section class="step"><h2>${seen.records ? "3" : "4"}. Preview</h2>
    <p class="quiet">${seen.rows} ${seen.rows === 1 ? "row" : "rows"} of ${seen.export ? `an export of ${seen.export}` : FORMS[seen.form]}${seen.records ? ", in Momus's own format" : ""}. The first ${seen.shown.length}:</p>
    ${seen.shown.map((/** @type {any} */ one) => html`<article class="kind preview" data-row=${one.row}><p class="quiet">Row ${one.row}</p>
      ${one.pieces.map((/** @type {any} */ piece) => html`<h3>${piece.name}</h3>${piece.code ? html`<pre><code>${visible(piece.text)}</code></pre>` : html`<p class="text">${visible(piece.text)}</p>`}`)}</article>`)}
  </section>`;
}

/** @param {{seen: any}} props */
function Import({ seen }) {
  const good = seen.rows - seen.wrong;
  const ready = good > 0 && (!seen.errors.length || goodOnly.value);
  return html`<form class="step" onSubmit=${bring}><h2>${seen.records ? "4" : "5"}. Import</h2>
    ${seen.wrong > 0 && !seen.broken && good > 0 && html`<p><label class="check"><input type="checkbox" name="good_only" checked=${goodOnly.value} onChange=${(/** @type {any} */ e) => (goodOnly.value = e.target.checked)} /> Leave out the ${seen.wrong === 1 ? "row" : `${seen.wrong} rows`} above and import the rest</label></p>`}
    <div class="row wrap"><label class="choice"><span>People for each</span><input name="overlap" type="number" min="1" max="100" value="1" /></label>
      <label class="choice"><span>Priority</span><input name="priority" type="number" min="-1000" max="1000" value="0" /></label>
      <button class="main" disabled=${!ready || busy.value !== ""}>Import ${ready ? good : 0} ${good === 1 ? "row" : "rows"}</button></div></form>`;
}

/** @param {{made: any}} props */
const Done = ({ made }) => html`<section class="note" role="status" data-added><b>${made.added} added.</b>
  ${made.known > 0 && html` ${made.known} ${made.known === 1 ? "was" : "were"} here already${made.changed ? `, ${made.changed} of them updated` : ""}.`}
  ${made.left_out > 0 && html` ${made.left_out} left out.`} <a href=${`/p/${project.value.slug}/manage`}>See them under Manage</a>, or choose another file.</section>`;

start(function Page() {
  if (!project.value.may.includes("manage")) return html`<p class="empty">Your role here does not manage the project.</p>`;
  const seen = looked.value;
  return html`<div class="page">
    <div class="row"><h1>Import work</h1><span class="grow"></span><span class="quiet" role="status">${busy.value}</span></div>
    ${added.value && html`<${Done} made=${added.value} />`}
    <${Choose} />
    ${refused.value.length > 0 && html`<${Wrong} errors=${refused.value} wrong=${0} />`}
    ${seen && html`
      ${seen.tables.length > 0 && html`<p><label class="choice"><span>Folder</span><select name="table" onChange=${(/** @type {any} */ e) => look(undefined, e.target.value)}>
        ${seen.tables.map((/** @type {string} */ one) => html`<option value=${one} selected=${one === seen.table}>${one || "(top)"}</option>`)}</select></label></p>`}
      ${!seen.records && html`<${Mapping} seen=${seen} />`}
      ${seen.errors.length > 0 && html`<${Wrong} errors=${seen.errors} wrong=${seen.wrong} />`}
      ${seen.shown.length > 0 && html`<${Preview} seen=${seen} />`}
      <${Import} seen=${seen} />`}
  </div>`;
});
