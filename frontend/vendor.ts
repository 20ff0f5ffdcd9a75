// What the desk's pages are built on, in one file: see build.mjs. TypeScript for the sake of check.mjs.
export { h, render, Fragment } from "preact";
export { useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef } from "preact/hooks";
export { signal, computed, effect, batch, useSignal, useComputed } from "@preact/signals";
export { default as htm } from "htm";
export { EditorState, StateEffect, StateField, Compartment, Transaction } from "@codemirror/state";
export {
  EditorView, Decoration, keymap, lineNumbers, highlightSpecialChars, drawSelection, highlightActiveLine,
} from "@codemirror/view";
export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { indentUnit, syntaxHighlighting, HighlightStyle, bracketMatching } from "@codemirror/language";
export { tags } from "@lezer/highlight";
export { python } from "@codemirror/lang-python";
export { unifiedMergeView, Chunk } from "@codemirror/merge";
export type { Signal } from "@preact/signals";
export type { StateEffectType } from "@codemirror/state";
