// What every page has: the bar at the top, words for what happens, the list of keys, and the page itself.
import { away, call, get, Problem } from "./api.js";
import { bound, setSingleKeys, singleKeys, useKeys } from "./keys.js";
import { visible } from "./text.js";
import { h, htm, render, signal, useLayoutEffect, useRef } from "./vendor.js";

export const html = htm.bind(h);

/** @typedef {{name: string, email: string, admin: boolean, projects: {project: string, name: string, role: string}[]}} Me */

/** Where the page stands. @type {DOMStringMap} */
export const here = document.body.dataset;
export const inProject = `/projects/${here.project}`;

/** @type {import("./vendor.js").Signal<Me | null>} */
export const me = signal(null);
/** @type {import("./vendor.js").Signal<any>} */
export const project = signal(null);
/** What stands at the right of the bar, e.g. whether a draft is saved. */
export const status = signal("");
/** Whether there is room for one column only. */
export const narrow = signal(false);
const room = matchMedia("(max-width: 700px)");
const measure = () => (narrow.value = room.matches);
room.addEventListener("change", measure);
measure();
const said = signal({ text: "", bad: false });
const help = signal(false);
let quiet = 0;

/** Say something: it is shown for a while and read out. @param {string} text @param {boolean} [bad] */
export function say(text, bad = false) {
  said.value = { text, bad };
  clearTimeout(quiet);
  quiet = setTimeout(() => (said.value = { text: "", bad: false }), bad ? 12000 : 5000);
}

/** Do something and say what went wrong, if it did. @param {() => Promise<any>} work */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    say(told(error), true);
    return undefined;
  }
}

/** @param {unknown} error */
export function told(error) {
  if (error instanceof Problem && error.errors.length > 1) return error.errors.map((one) => one.detail).join(" ");
  return error instanceof Error ? error.message : String(error);
}

/** @param {{page: any}} props */
function Shell({ page }) {
  useKeys([
    { key: "?", does: "List the keys", run: () => (help.value = true) },
    ...(here.project && !here.seat && !here.kind && !here.amend
      ? [{ key: "w", does: "To the work", run: () => location.assign(`/p/${here.project}`) }]
      : []),
  ]);
  return html`
    <a class="skip-link" href="#main">Skip to the work</a>
    <${Bar} />
    ${away.value && html`<div class="away" role="alert"><b>Offline.</b> ${away.value}</div>`}
    <main id="main" tabindex="-1"><${page} /></main>
    <div class="said ${said.value.bad ? "bad" : ""} ${said.value.text ? "on" : ""}" role="status" aria-live="polite">
      ${visible(said.value.text)}
    </div>
    ${help.value && html`<${Keys} />`}
  `;
}

function Bar() {
  const may = project.value?.may ?? [];
  const at = location.pathname;
  const to = (/** @type {string} */ path, /** @type {string} */ name) =>
    html`<a href=${path} aria-current=${at === path ? "page" : undefined}>${name}</a>`;
  const base = `/p/${here.project}`;
  return html`<header class="bar">
    <a class="brand" href=${here.project ? base : "/"} aria-label="Momus desk">Momus</a>
    ${here.project &&
    html`<nav aria-label="Project">
      <a class="project" href="/" title="All projects">${project.value?.name ?? here.project}</a>
      ${may.includes("work") && to(base, "Work")} ${may.includes("work") && to(`${base}/review`, "Review code")}
      ${to(`${base}/history`, "History")}
      ${to(`${base}/guidelines`, `Guidelines${project.value?.guideline ? ` v${project.value.guideline}` : ""}`)}
      ${may.includes("stats") && to(`${base}/dashboard`, "Dashboard")} ${may.includes("manage") && to(`${base}/manage`, "Manage")}
    </nav>`}
    <span class="status" aria-live="polite">${status.value}</span>
    ${me.value && html`<a href="/account" aria-current=${at === "/account" ? "page" : undefined}>${visible(me.value.name || me.value.email)}</a>`}
    ${me.value && html`<button class="plain" onClick=${leave}>Log out</button>`}
    <button class="plain" onClick=${() => (help.value = true)} aria-label="Keys">Keys <kbd>?</kbd></button>
  </header>`;
}

async function leave() {
  await trying(() => call("POST", "/auth/logout"));
  location.assign("/login");
}

function Keys() {
  const shown = bound.value.flat().filter((key) => key.does);
  return html`<${Dialog} title="Keys" onClose=${() => (help.value = false)}>
    <dl class="keys">
      ${shown.map((key) => html`<div><dt><kbd>${pretty(key.key)}</kbd></dt><dd>${key.does}</dd></div>`)}
      <div><dt><kbd>Esc</kbd></dt><dd>Leave the editor, or close what is open</dd></div>
    </dl>
    <label class="check">
      <input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ e) => setSingleKeys(e.target.checked)} />
      Single keys do things (not while typing in a field)
    </label>
  <//>`;
}

/** @param {string} key */
const pretty = (key) => key.replace("ArrowLeft", "←").replace("ArrowRight", "→").replace("ArrowUp", "↑").replace("ArrowDown", "↓").replace("Enter", "⏎");

/** A dialog over the page; focus stays inside it. @param {{title: string, onClose: () => void, children?: any, wide?: boolean}} props */
export function Dialog({ title, onClose, children, wide = false }) {
  const box = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    // before anything is painted: a key that comes at once is for the dialog
    const before = document.activeElement;
    box.current.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  return html`<dialog ref=${box} class=${wide ? "wide" : ""} aria-label=${title} onClose=${onClose}>
    <h2>${title}</h2>
    ${children}
    <p class="row end"><button onClick=${() => box.current.close()}>Close <kbd>Esc</kbd></button></p>
  </dialog>`;
}

/** A hint of a key on a button. @param {{k: string}} props */
export const Hint = ({ k }) => html`<kbd aria-hidden="true">${pretty(k)}</kbd>`;

/**
 * Show a page. `open` is for pages that are there before one has logged in.
 * @param {any} page @param {{open?: boolean}} [more]
 */
export async function start(page, { open = false } = {}) {
  const root = /** @type {HTMLElement} */ (document.getElementById("desk"));
  const opening = () => html`<p class="quiet">Opening…</p>`;
  if (!open) render(html`<${Shell} page=${opening} />`, root); // it says so where the desk is away
  try {
    if (!open) {
      [me.value, project.value] = await Promise.all([
        get("/auth/me"),
        here.project ? get(inProject) : Promise.resolve(null),
      ]);
    }
  } catch (error) {
    const why = told(error);
    page = () => html`<section class="narrow"><h1>That is not here</h1><p>${why}</p><p><a href="/">To your projects</a></p></section>`;
  }
  render(html`<${Shell} page=${page} />`, root);
}
