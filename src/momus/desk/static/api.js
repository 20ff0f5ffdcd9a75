// The desk's API, as the pages speak to it.
import { effect, signal } from "./vendor.js";

/** Why the server can't be reached just now; empty where it can. */
export const away = signal("");

/** What the API says went wrong (RFC 9457). */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.code = String(body.type ?? "").replace("/problems/", "");
    /** @type {{pointer: string, code: string, detail: string}[]} */
    this.errors = body.errors ?? [];
    this.body = body;
  }
}

/** The server was not there. Nothing was lost: what was asked can be asked again. */
export class Away extends Error {}

let waiting = false;
let ahead = 0;

/** The time by the desk's clock, as near as its last answer tells it: this machine's own may be wrong, or jump. */
export const serverNow = () => Date.now() + ahead;

/** @param {string} why */
function gone(why) {
  away.value = why;
  if (waiting) return;
  waiting = true;
  const look = async () => {
    const ready = await fetch("/readyz").then((answer) => answer.ok, () => false);
    if (ready) {
      waiting = false;
      away.value = "";
    } else setTimeout(look, 1500);
  };
  setTimeout(look, 1000);
}

/**
 * Ask the API. Raises Problem or Away; null where there is no content.
 * @param {string} method @param {string} path below `/api/v1`
 * @param {{body?: any, headers?: Record<string, string>, raw?: Blob, stay?: boolean}} [more]
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, headers = {}, raw, stay = false } = {}) {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...(sent === undefined || raw ? {} : { "Content-Type": "application/json" }), ...headers },
      body: sent,
    });
  } catch {
    gone("The desk can't be reached. What you write is kept in this browser, and is sent when it is back.");
    throw new Away("The desk can't be reached.");
  }
  const told = Date.parse(answer.headers.get("Date") ?? "");
  if (told) ahead = told - Date.now();
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
  if (problem.code === "database") {
    gone("The desk's database can't be reached. What you write is kept in this browser, and is sent when it is back.");
    throw new Away(problem.message);
  }
  if (answer.status === 401 && !stay) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  throw problem;
}

/** Resolves once the desk is there again. @returns {Promise<void>} */
export const back = () =>
  new Promise((resolve) => {
    const stop = effect(() => {
      if (away.value) return;
      queueMicrotask(() => {
        stop();
        resolve();
      });
    });
  });

/** Ask for something, and while the desk is away wait for it. @param {string} path @returns {Promise<any>} */
export async function get(path) {
  for (;;) {
    try {
      return await call("GET", path);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await back();
    }
  }
}
/** @param {string} path @param {any} [body] */
export const post = (path, body) => call("POST", path, { body });

/**
 * Wait for a job; `report` hears how far it is. Raises Error with the job's own words where it failed.
 * @param {string} id @param {(job: any) => void} [report]
 */
export async function finished(id, report) {
  for (let wait = 300; ; wait = Math.min(2000, wait * 1.3)) {
    const job = await get(`/jobs/${id}`);
    report?.(job);
    if (job.state === "done") return job.result;
    if (job.state === "cancelled") throw new Error("Cancelled.");
    if (job.state === "failed") throw new Error(job.error ?? "That failed.");
    await new Promise((resume) => setTimeout(resume, wait));
  }
}
