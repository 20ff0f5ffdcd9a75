// One's stay at a seat: the draft, which is never lost, the lease, the active time, and handing in.
import { away, Away, call, get, post, Problem } from "./api.js";
import { say, told } from "./shell.js";
import { signal } from "./vendor.js";

const SAVE_MS = 700;
const BEAT_MS = 60_000;
const IDLE_MS = 60_000;
const KEPT = "momus.draft.";

/** As text, the same whatever the order of keys. @param {any} value @returns {string} */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** What the bench shows and writes. A draft is kept in this browser at every change and on the server soon after. */
export class Held {
  /** @param {any} seat a SeatView @param {(view: any, first: any) => any} empty the form to begin with */
  constructor(seat, empty) {
    this.seat = signal(seat);
    this.id = seat.id;
    this.rev = seat.draft.rev;
    /** Both versions, where another tab was faster. @type {import("./vendor.js").Signal<any>} */
    this.conflict = signal(null);
    this.saved = signal(seat.draft.saved ? "Saved" : "");
    /** Errors of the last hand-in, as the server told them. @type {import("./vendor.js").Signal<any[]>} */
    this.errors = signal([]);
    this.lost = signal(seat.state === "lost");
    this.busy = signal(false);
    this.timer = 0;
    this.saving = false;
    this.dirty = false;
    // A key of this page's own: two tabs on one draft must not clear away what the other has kept.
    this.key = `${KEPT}${this.id}.${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
    /** @type {string | null} */
    this.sent = null;
    this.form = signal(seat.draft.data ?? empty(seat.view, seat.first_pass));
    this.active = seat.active_ms;
    this.seen = performance.now(); // not the time of day, which may jump
    this.#restore();
    this.#watch();
  }

  /** @param {any} change a form, or what is different in it */
  edit(change) {
    if (this.seat.value.state === "submitted") return;
    this.form.value = { ...this.form.value, ...change };
    this.errors.value = [];
    this.dirty = true;
    this.#keep();
    this.saved.value = away.value ? "Offline: kept in this browser" : "Not saved yet";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_MS);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.saving || this.conflict.value || !this.dirty) return;
    this.saving = true;
    this.saved.value = "Saving…";
    const data = this.form.value;
    this.sent = canonical(data);
    this.#keep();
    try {
      const answer = await call("PUT", `/seats/${this.id}/draft`, { body: { data }, headers: { "If-Match": `${this.rev}` } });
      this.rev = answer.rev;
      if (canonical(this.form.value) === this.sent) {
        this.dirty = false;
        localStorage.removeItem(this.key);
        this.saved.value = "Saved";
      } else {
        this.#keep();
        this.timer = setTimeout(() => this.save(), SAVE_MS);
      }
    } catch (error) {
      this.#unsaved(error);
    } finally {
      this.saving = false;
    }
  }

  /** @param {unknown} error */
  #unsaved(error) {
    if (error instanceof Problem && error.code === "draft-conflict") {
      // An answer may have been lost on its way although the draft was kept: then there is no other version.
      if (canonical(error.body.draft) === this.sent || canonical(error.body.draft) === canonical(this.form.value)) {
        this.rev = error.body.rev;
        this.timer = setTimeout(() => this.save(), 0);
      } else {
        this.conflict.value = { rev: error.body.rev, theirs: error.body.draft, mine: this.form.value };
        this.saved.value = "Changed elsewhere";
      }
    } else if (error instanceof Away) {
      this.saved.value = "Offline: kept in this browser";
      this.timer = setTimeout(() => this.save(), 2000);
    } else {
      this.saved.value = "Not saved";
      say(told(error), true);
    }
  }

  /** Go on with one of two versions; the other one is gone then. @param {any} form */
  settle(form) {
    this.rev = this.conflict.value.rev;
    this.conflict.value = null;
    this.form.value = form;
    this.dirty = true;
    this.#keep();
    this.save();
  }

  #keep() {
    localStorage.setItem(this.key, JSON.stringify({ rev: this.rev, data: this.form.value, sent: this.sent }));
  }

  /** What pages of this browser kept and the server never got. */
  #restore() {
    const theirs = this.seat.value.draft.data;
    const done = this.seat.value.state === "submitted";
    for (const key of Object.keys(localStorage).filter((one) => one.startsWith(`${KEPT}${this.id}.`))) {
      const kept = JSON.parse(localStorage.getItem(key) ?? "null");
      const known = !kept || done || [theirs, this.form.value].some((one) => canonical(one) === canonical(kept.data));
      if (!known && !this.dirty && (kept.rev === this.rev || kept.sent === canonical(theirs))) {
        this.form.value = kept.data;
        this.dirty = true;
        this.timer = setTimeout(() => this.save(), 0);
      } else if (!known) {
        if (this.conflict.value) continue; // one at a time: it stays for the next opening
        const other = this.dirty ? this.form.value : theirs;
        this.conflict.value = { rev: this.rev, theirs: other, mine: kept.data };
      }
      localStorage.removeItem(key);
    }
    if (this.conflict.value) this.form.value = this.conflict.value.mine;
    if (this.dirty || this.conflict.value) this.#keep();
  }

  #watch() {
    const busy = () => {
      const now = performance.now();
      this.active += Math.min(now - this.seen, IDLE_MS);
      this.seen = now;
    };
    for (const what of ["keydown", "pointerdown", "pointermove", "scroll"]) {
      addEventListener(what, busy, { passive: true, capture: true });
    }
    setInterval(() => this.beat(), BEAT_MS);
    addEventListener("pagehide", () => this.save());
  }

  async beat() {
    if (this.seat.value.state === "submitted" || document.hidden) return;
    try {
      const lease = await call("PUT", `/seats/${this.id}/heartbeat`, { body: { active_ms: Math.round(this.active) } });
      this.seat.value = { ...this.seat.value, lease_until: lease.lease_until };
      this.lost.value = false;
    } catch (error) {
      if (error instanceof Problem && error.code === "lease-lost") this.lost.value = true;
    }
  }

  /** Make the first pass; the reference bug is there after it. @param {any} form */
  async firstPass(form) {
    return this.#handing(async () => {
      this.seat.value = await post(`/seats/${this.id}/first-pass`, { form });
      return true;
    });
  }

  /** Hand in; sent again with the same form, nothing happens twice. @param {any} form */
  async submit(form) {
    return this.#handing(async () => {
      const made = await this.send(form, await keyOf(this.id, form, this.rev));
      this.dirty = false;
      localStorage.removeItem(this.key);
      clearTimeout(this.timer);
      this.seat.value = { ...this.seat.value, state: "submitted" };
      return made;
    });
  }

  /** @param {any} form @param {string} key which makes that it happens once @returns {Promise<any>} */
  send(form, key) {
    const body = { form, active_ms: Math.round(this.active) };
    return call("POST", `/seats/${this.id}/submit`, { body, headers: { "Idempotency-Key": key } });
  }

  /** @param {() => Promise<any>} work */
  async #handing(work) {
    if (this.busy.value) return undefined;
    this.busy.value = true;
    this.errors.value = [];
    try {
      await this.save();
      return await work();
    } catch (error) {
      this.errors.value = error instanceof Problem && error.errors.length ? error.errors : [];
      say(error instanceof Away ? "Not handed in: the desk can't be reached. Nothing is lost: hand it in when it is back." : told(error), true);
      return undefined;
    } finally {
      this.busy.value = false;
    }
  }

  /** @param {"skip" | "decline" | "release"} what @param {string} reason */
  async leave(what, reason) {
    await this.save();
    await post(`/seats/${this.id}/${what}`, what === "release" ? undefined : { reason });
  }
}

/**
 * Amending what was handed in. The server keeps no draft of that: it is kept in this browser until it is handed in anew.
 * The submission's id stands where a draft has its revision, so that what was kept of an older one is not taken for it.
 */
export class Amending extends Held {
  /** @param {any} seat @param {any} made a SubmissionView */
  constructor(seat, made) {
    super({ ...seat, state: "amending", draft: { rev: made.id, saved: null, data: made.form } }, () => made.form);
  }

  async save() {
    this.saved.value = this.dirty ? "Kept in this browser" : "";
  }

  async beat() {}

  /** @param {any} form @param {string} key @returns {Promise<any>} */
  send(form, key) {
    return call("POST", `/submissions/${this.rev}/amend`, { body: { form }, headers: { "Idempotency-Key": key } });
  }
}

/** A key that is the same for the same form at the same revision. @param {string} id @param {any} form @param {number} rev */
async function keyOf(id, form, rev) {
  const text = `${id} ${rev} ${canonical(form)}`;
  if (!crypto.subtle) return `${id}-${rev}-${text.length}`; // plain http from another machine has no digest
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].slice(0, 20).map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Claim a seat, or open one by its id; null where there is nothing to do. @param {string} path @param {string} [seat] */
export const open = (path, seat) => (seat ? get(`/seats/${seat}`) : post(path));
