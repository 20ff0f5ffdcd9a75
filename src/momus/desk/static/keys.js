// Keys: bound by whatever is on the page, listed under `?`, dead in fields where they would be typed.
import { signal, useLayoutEffect, useRef } from "./vendor.js";

/** @typedef {{key: string, does: string, run: (event: KeyboardEvent) => void, field?: boolean}} Key */

/** @type {import("./vendor.js").Signal<Key[][]>} */
export const bound = signal([]);

const OFF = "momus.single-keys-off";
export const singleKeys = signal(localStorage.getItem(OFF) === null);

/** @param {boolean} on */
export function setSingleKeys(on) {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
  singleKeys.value = on;
}

/** The key of an event, as it is written here: `j`, `Shift+J`, `Alt+H`, `Ctrl+Enter`. @param {KeyboardEvent} event */
function written(event) {
  let key = event.key;
  if (event.altKey && /^Key[A-Z]$/.test(event.code)) key = event.code.slice(3); // on a Mac, Alt+H types a dot
  if (key.length === 1) key = event.shiftKey || event.altKey ? key.toUpperCase() : key;
  const letter = /^[A-Z]$/.test(key);
  const shift = event.shiftKey && (letter || key.length > 1) ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${letter && event.ctrlKey ? key.toLowerCase() : key}`;
}

/** Whether what is typed lands in a field. @param {EventTarget | null} target */
function inField(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return target.getAttribute("aria-readonly") !== "true";
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit", "range", "file"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

addEventListener(
  "keydown",
  (event) => {
    if (event.isComposing) return;
    const key = written(event);
    const single = key.length === 1 || key.startsWith("Shift+") || key.startsWith("Arrow");
    const target = event.target;
    if (single && key !== "?" && !key.includes("Arrow") && !singleKeys.value) return;
    if (single && inField(target)) return;
    if (key.includes("Arrow") && target instanceof HTMLElement) {
      if (target.isContentEditable || target.matches("input, summary")) return; // the arrows are the caret's there
    }
    const open = document.querySelector("dialog[open]");
    const lists = bound.value;
    for (let i = lists.length - 1; i >= 0; i--) {
      const found = lists[i].find((one) => one.key === key);
      if (found) {
        if (open && !found.field) return;
        event.preventDefault();
        event.stopPropagation();
        found.run(event);
        return;
      }
    }
  },
  true,
);

/** Bind keys while a component is there. @param {Key[]} keys */
export function useKeys(keys) {
  const now = { keys };
  const held = useHeld(now);
  useLayoutEffect(() => {
    const list = held.keys.map((key) => ({
      ...key,
      run: (/** @type {KeyboardEvent} */ event) => held.keys.find((one) => one.key === key.key)?.run(event),
    }));
    bound.value = [...bound.value, list];
    return () => {
      bound.value = bound.value.filter((one) => one !== list);
    };
  }, [keys.map((key) => `${key.key} ${key.does}`).join("\n")]);
}

/** The same object at every rendering, with the latest in it. @template T @param {T} latest */
function useHeld(latest) {
  const held = useRef(latest);
  Object.assign(/** @type {any} */ (held.current), latest);
  return held.current;
}
