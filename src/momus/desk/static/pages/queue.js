import { get } from "../api.js";
import { useKeys } from "../keys.js";
import { here, Hint, html, inProject, project, start, trying } from "../shell.js";
import { lasting, plural } from "../text.js";
import { signal, useEffect } from "../vendor.js";

/** By kind: its key, and what one does. */
const KINDS = {
  rate: ["r", "Score four critiques side by side, blind"],
  tamper: ["t", "Put a subtle bug into code that works"],
  write: ["e", "Write a critique alone"],
  team: ["m", "Begin from the critic's comments"],
  compare: ["c", "Say which of two answers is better"],
  judge: ["d", "Say which of two solutions passes its tests"],
  grade: ["g", "Say how severe a bug is, and how hard to find"],
  recheck: ["k", "Look at what others did"],
};
const queue = signal(/** @type {any} */ (null));
const done = signal(/** @type {any[]} */ ([]));

const load = () =>
  trying(async () => {
    queue.value = (await get(`${inProject}/queue`)).kinds;
    done.value = await today();
  });

/** What one has handed in today. */
async function today() {
  const found = [];
  const day = new Date().toDateString();
  for (let after = 0; ; ) {
    const page = await get(`${inProject}/submissions?most=500&after=${after}`);
    found.push(...page.submissions);
    if (page.next === null) break;
    after = page.next;
  }
  return found.filter((one) => one.state === "current" && new Date(one.made).toDateString() === day);
}

start(function Page() {
  useEffect(() => void load(), []);
  const to = (/** @type {string} */ kind) => `/p/${here.project}/work/${kind}`;
  const kinds = Object.entries(KINDS).map(([kind, [key, does]]) => ({ kind, key, does, waiting: 0, open: 0, ...queue.value?.[kind] }));
  const there = kinds.filter((one) => one.waiting || one.open);
  const begun = there.filter((one) => one.open);
  useKeys([
    ...there.map((one) => ({ key: one.key, does: `Start: ${one.kind}`, run: () => location.assign(to(one.kind)) })),
    ...(begun.length ? [{ key: "Enter", does: `Continue: ${begun[0].kind}`, run: () => location.assign(to(begun[0].kind)) }] : []),
  ]);
  if (!queue.value) return html`<p class="quiet">Opening…</p>`;
  const active = done.value.reduce((sum, one) => sum + one.active_ms, 0);
  const works = project.value?.may.includes("work");
  return html`<div class="page">
    <div class="row"><h1>Work</h1><span class="grow"></span>
      <span class="quiet">Today ${plural(done.value.length, "hand-in")}, ${lasting(active)} active</span></div>
    ${begun.map((one, i) => html`<a class="kind" href=${to(one.kind)}><span class="head"><span class="open">▶ Continue: ${one.kind}</span> ${i === 0 && html`<${Hint} k="Enter" />`}</span></a>`)}
    <div class="kinds">${there.map((one) => html`<a class="kind" href=${to(one.kind)} data-kind=${one.kind}>
      <span class="head"><b>${one.kind}</b><span><span class="quiet">${one.waiting} waiting</span> <${Hint} k=${one.key} /></span></span>
      <span class="quiet">${one.does}</span></a>`)}</div>
    ${!there.length && html`<p class="empty">${works ? "There is nothing to do just now." : "Your role here does not work on items."}</p>`}
  </div>`;
});
