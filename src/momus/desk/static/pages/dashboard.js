import { get } from "../api.js";
import { Intervals, serving, Tradeoff, within } from "../charts.js";
import { html, inProject, start, trying } from "../shell.js";
import { plural, visible } from "../text.js";
import { signal, useEffect } from "../vendor.js";

const NAMES = ["progress", "pace", "ratings", "teams", "judging", "gold", "canaries", "rechecks"];
const stats = signal(/** @type {any} */ (null));
const live = signal(false);
/** The most critiques with something spurious that one would put up with: a share. */
const budget = signal(0.2);

const load = () =>
  trying(async () => {
    const found = await Promise.all(NAMES.map((name) => get(`${inProject}/stats/${name}`)));
    stats.value = Object.fromEntries(NAMES.map((name, i) => [name, found[i]]));
  });

function follow() {
  const events = new EventSource(`/api/v1${inProject}/events`);
  let soon = 0;
  const again = () => {
    clearTimeout(soon);
    soon = setTimeout(load, 1500);
  };
  events.onopen = () => (live.value = true);
  events.onerror = () => (live.value = false);
  for (const what of ["claimed", "submitted", "skipped", "declined", "undone", "amended", "job"]) events.addEventListener(what, again);
  return () => events.close();
}

const percent = (/** @type {number | null} */ share) => (share === null || share === undefined ? "–" : `${Math.round(share * 100)}%`);

/** @param {{head: string[], rows: any[][]}} props */
const Table = ({ head, rows }) => html`<div class="scroll"><table class="data"><thead><tr>${head.map((one, i) => html`<th class=${i ? "n" : ""}>${one}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr>${row.map((one, i) => html`<td class=${i ? "n" : ""} data-of=${head[i] || undefined}>${typeof one === "string" ? visible(one) : one}</td>`)}</tr>`)}</tbody></table></div>`;

/** @param {{title: string, about?: string, children?: any}} props */
const Figure = ({ title, about, children }) => html`<section class="figure" aria-label=${title}><h2>${title}</h2>${about && html`<p class="quiet">${about}</p>`}${children}</section>`;

/** @param {{progress: any}} props */
function Progress({ progress }) {
  const rows = Object.entries(progress).map(([kind, row]) => {
    const seats = { free: 0, leased: 0, submitted: 0, ...row.seats };
    const all = seats.free + seats.leased + seats.submitted || 1;
    const width = (/** @type {number} */ part) => ({ width: `${(100 * part) / all}%` });
    return [
      kind,
      html`<span class="meter" role="img" aria-label=${`${seats.submitted} of ${all} done`}><i class="a" style=${width(seats.submitted)}></i><i class="b" style=${width(seats.leased)}></i></span>`,
      `${seats.submitted} of ${all}`, seats.leased, row.late, row.skipped, row.declined,
    ];
  });
  return html`<${Figure} title="Progress">${rows.length
    ? html`<${Table} head=${["Kind", "", "Done", "In hand", "Late", "Skipped", "Declined"]} rows=${rows} />`
    : html`<p class="quiet">Nothing has been imported yet.</p>`}<//>`;
}

/** @param {import("../charts.js").Figure} figure */
const ranging = (figure) => `${percent(figure.mean)} (${percent(figure.low)} to ${percent(figure.high)}, n ${figure.n})`;

/** What is caught for what is made up, and which critic serves a budget of the latter. @param {{points: import("../charts.js").Point[]}} props */
function Frontier({ points }) {
  const most = percent(budget.value);
  const served = within(points, budget.value);
  const sparing = serving(points).sort((a, b) => Number(a.x.mean) - Number(b.x.mean))[0];
  return html`<${Tradeoff} label="Caught against spurious" points=${points} budget=${budget.value} />
    <label class="budget"><span>Put up with something spurious in at most <output>${most}</output> of the critiques</span>
      <input type="range" min="0" max="100" step="1" value=${Math.round(budget.value * 100)} aria-valuetext=${most}
        onInput=${(/** @type {any} */ e) => (budget.value = Number(e.target.value) / 100)} /></label>
    <p class="served" role="status">${served
      ? html`<b>${visible(served.name)}</b> catches most within that: ${ranging(served.y)} of the bugs, with something spurious in ${ranging(served.x)} of its critiques.${Number(served.x.high) > budget.value && " The interval reaches beyond the budget: more ratings would tell."}`
      : sparing ? html`No critic stays within that. The most sparing is <b>${visible(sparing.name)}</b>, with something spurious in ${ranging(sparing.x)} of its critiques.`
      : "No critic has been rated both ways yet."}</p>`;
}

/** @param {{ratings: any}} props */
function Ratings({ ratings }) {
  if (!ratings.comparisons) return html`<${Figure} title="Ratings"><p class="quiet">Nothing has been rated yet.</p><//>`;
  const agreement = Object.entries(ratings.agreement).map(([name, row]) => ({ name: name.replaceAll("_", " "), figure: row.alpha }));
  return html`
    ${ratings.groups === 1 && html`<p class="note" role="status" data-one-group>All rated tasks share one group, so there are no intervals. Give the tasks of each problem a <code>group</code> of their own and import them again.</p>`}
    <${Figure} title="Elo" about=${`From ${plural(ratings.comparisons, "comparison")}; 95% intervals over whole tasks.`}>
      <${Intervals} label="Elo" rows=${ratings.elo.map((/** @type {any} */ one) => ({ name: one.critic, figure: { mean: one.elo, low: one.low, high: one.high }, note: ` n ${one.duels}${one.mark ? `, ${one.mark}` : ""}` }))} /><//>
    <${Figure} title="Caught against spurious" about="Further up and to the left is better. A point is a critic under its name in the comparisons: a setting of the dial has its own where it was rated under a name of its own.">
      <${Frontier} points=${ratings.pareto.map((/** @type {any} */ one) => ({ name: one.critic, x: one.spurious, y: one.caught }))} />
      <${Table} head=${["Critic", "Bugs caught", "n", "With something spurious", "n"]} rows=${ratings.pareto.map((/** @type {any} */ one) => [one.critic, percent(one.caught?.mean), one.caught?.n ?? 0, percent(one.spurious?.mean), one.spurious?.n ?? 0])} /><//>
    <${Figure} title="Agreement" about="Krippendorff's α, ordinal; 1 is perfect, 0 is chance.">
      <${Intervals} label="Agreement" low=${-0.2} high=${1} rows=${agreement} /><//>
    <${Figure} title="Who is preferred to whom"><${Table} head=${["Critic", "over", "Preferred", "95%", "n"]}
      rows=${ratings.wins.map((/** @type {any} */ one) => [one.critic, one.over, percent(one.mean), one.low === null ? "no interval" : `${percent(one.low)}–${percent(one.high)}`, one.n])} /><//>`;
}

start(function Page() {
  useEffect(() => {
    load();
    return follow();
  }, []);
  const now = stats.value;
  if (!now) return html`<p class="quiet">Counting…</p>`;
  const caught = (/** @type {any} */ table) => Object.entries(table).map(([name, one]) => [name, percent(one.rate), one.caught, one.seen]);
  const teams = Object.entries(now.teams.critics);
  return html`<div class="page">
    <div class="row"><h1>Dashboard</h1><span class="grow"></span><span class="quiet">${live.value ? "● live" : "○ not live"}; people stand under pseudonyms</span></div>
    <${Progress} progress=${now.progress} />
    <div class="figures"><${Ratings} ratings=${now.ratings} />
      ${now.judging.without.n + now.judging.with.n > 0 && html`<${Figure} title="Which solution passes?" about="How often the right one was chosen.">
        <${Intervals} share label="Right choices" low=${0} high=${1} rows=${[{ name: "without the critic", figure: now.judging.without }, { name: "with the critic", figure: now.judging.with }]} /><//>`}
      ${Object.keys(now.pace.kinds).length > 0 && html`<${Figure} title="Active minutes for each"><${Table} head=${["Kind", "Median", "90th percentile", "n"]}
        rows=${Object.entries(now.pace.kinds).map(([kind, one]) => [kind, one.median, one.p90, one.n])} />
        <details><summary class="quiet">By person</summary><${Table} head=${["Who", "Kind", "Median", "n"]} rows=${Object.entries(now.pace.people).flatMap(([who, kinds]) => Object.entries(kinds).map(([kind, one]) => [who, kind, one.median, one.n]))} /></details><//>`}
      ${teams.length > 0 && html`<${Figure} title="What people did to the critic's comments"><${Table} head=${["Critic", "Kept", "Edited", "Dropped", "Added", "Teams"]}
        rows=${teams.map(([critic, one]) => [critic, one.kept, one.edited, one.dropped, one.added, one.n])} /><//>`}
      ${Object.keys(now.gold.people).length > 0 && html`<${Figure} title="Gold items"><${Table} head=${["Who", "Right", "of", "Share"]} rows=${Object.entries(now.gold.people).map(([who, one]) => [who, one.right, one.n, percent(one.share)])} /><//>`}
      ${(now.canaries.open || now.canaries.withdrawn) > 0 && html`<${Figure} title="Canaries" about=${`${now.canaries.open} out, ${now.canaries.withdrawn} withdrawn.`}>
        <${Table} head=${["Who", "Caught", "", "seen"]} rows=${[...caught(now.canaries.people), ...caught(now.canaries.critics)]} />
        <${Table} head=${["Week", "People caught", "of", "The critic", "of"]} rows=${Object.entries(now.canaries.weeks).map(([week, one]) => {
          const critic = now.canaries.critic_weeks[week];
          return [week, percent(one.rate), one.seen, percent(critic?.rate), critic?.seen ?? 0];
        })} /><//>`}
      <${Figure} title="Re-checks"><${Table} head=${["Confirmed", "Corrected", "Rejected", "Waiting"]} rows=${[[now.rechecks.confirmed, now.rechecks.corrected, now.rechecks.rejected, now.rechecks.waiting]]} /><//>
    </div>
  </div>`;
});
