// Code, to be read or changed: CodeMirror with highlights, exact places and visible strangers.
import { narrow } from "./shell.js";
import { nameOf, Points, UNSEEN } from "./text.js";
import {
  bracketMatching, Compartment, Decoration, defaultKeymap, drawSelection, EditorState, EditorView, h, highlightSpecialChars,
  HighlightStyle, history, historyKeymap, indentUnit, indentWithTab, keymap, lineNumbers, python, StateEffect, StateField,
  syntaxHighlighting, tags, unifiedMergeView, useEffect, useRef,
} from "./vendor.js";

/** @typedef {{start: number, end: number}} Place in code points */
/** @typedef {Place & {id: string, tone: string, lit?: boolean}} Mark */

const nonce = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=csp-nonce]")).content;

const colours = HighlightStyle.define([
  { tag: [tags.comment], color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.bool, tags.null], color: "var(--keyword)" },
  { tag: [tags.number], color: "var(--number)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], fontWeight: "600" },
]);

/** @type {import("./vendor.js").StateEffectType<any>} */
const setMarks = StateEffect.define();
const marksField = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    return marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const strangers = highlightSpecialChars({
  specialChars: new RegExp(UNSEEN.source, "gu"),
  render(code) {
    const chip = document.createElement("span");
    chip.className = "unseen";
    chip.textContent = nameOf(code);
    chip.setAttribute("aria-label", `character ${nameOf(code)}, which is not seen`);
    return chip;
  },
});

/** What the page can ask of the code that it shows. */
export class CodeHandle {
  /** @type {any} */
  view = null;

  /** The selected place; null where nothing is. @returns {Place | null} */
  selection() {
    let { from, to } = this.view.state.selection.main;
    const chosen = this.view.state.sliceDoc(from, to); // a triple click takes the line's end with it
    from += chosen.length - chosen.trimStart().length;
    to -= chosen.length - chosen.trimEnd().length;
    if (from >= to) return null;
    const points = new Points(this.view.state.doc.toString());
    return { start: points.toPoints(from), end: points.toPoints(to) };
  }

  /** What is selected, or else the line of the caret without its indent. @returns {Place | null} */
  selectionOrLine() {
    const chosen = this.selection();
    if (chosen) return chosen;
    const state = this.view.state;
    const line = state.doc.lineAt(state.selection.main.head);
    const trimmed = line.text.trim();
    if (!trimmed) return null;
    const from = line.from + line.text.indexOf(trimmed);
    const points = new Points(state.doc.toString());
    return { start: points.toPoints(from), end: points.toPoints(from + trimmed.length) };
  }

  /** Bring a place into sight. @param {Place} place */
  reveal(place) {
    const points = new Points(this.view.state.doc.toString());
    this.view.dispatch({ effects: EditorView.scrollIntoView(points.toUnits(place.start), { y: "center" }) });
  }

  focus() {
    this.view.focus();
  }
}

/**
 * @param {{text: string, label: string, language?: string, marks?: Mark[], handle?: CodeHandle, original?: string,
 *   diff?: boolean, onChange?: (text: string, map: (place: Place) => Place) => void, onMark?: (id: string) => void,
 *   short?: boolean}} props
 * `text` is what it begins with. With `onChange` it can be changed; `diff` shows it against `original`.
 */
export function Code({ text, label, language = "python", marks = [], handle, original, diff, onChange, onMark, short }) {
  const box = useRef(/** @type {any} */ (null));
  const view = useRef(/** @type {any} */ (null));
  const compare = useRef(new Compartment());
  const now = useRef({ onChange, onMark });
  now.current = { onChange, onMark };

  useEffect(() => {
    const changeable = onChange !== undefined;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorState.lineSeparator.of("\n"), // a carriage return stays a character: places must not move
          EditorView.cspNonce.of(nonce),
          EditorView.contentAttributes.of({ "aria-label": label, ...(changeable ? {} : { "aria-readonly": "true" }) }),
          EditorState.readOnly.of(!changeable),
          lineNumbers(), drawSelection(), strangers, bracketMatching(), marksField, compare.current.of([]),
          syntaxHighlighting(colours),
          indentUnit.of("    "),
          EditorState.tabSize.of(4),
          language === "python" ? python() : [],
          narrow.value ? EditorView.lineWrapping : [],
          changeable ? history() : [],
          keymap.of([
            { key: "Escape", run: leave },
            ...(changeable ? [...historyKeymap, indentWithTab] : []),
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            const before = new Points(update.startState.doc.toString());
            const after = update.state.doc.toString();
            const points = new Points(after);
            now.current.onChange?.(after, ({ start, end }) => ({
              start: points.toPoints(update.changes.mapPos(before.toUnits(start), 1)),
              end: points.toPoints(update.changes.mapPos(before.toUnits(end), -1)),
            }));
          }),
          EditorView.domEventHandlers({
            beforeinput(event, view) {
              // Typed over a selection of lines, the browser itself would join them with styles, which the policy refuses.
              const typed = event.inputType === "insertText" && event.data;
              if (!typed || view.composing || view.state.readOnly || view.state.selection.main.empty) return false;
              event.preventDefault();
              view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
              return true;
            },
            click(event) {
              const mark = event.target instanceof Element ? event.target.closest("[data-mark]") : null;
              if (mark) now.current.onMark?.(mark.getAttribute("data-mark") ?? "");
            },
          }),
        ],
      }),
    });
    view.current = made;
    if (handle) handle.view = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const made = view.current;
    const points = new Points(made.state.doc.toString());
    const ranges = marks
      .map((mark) => ({ mark, from: points.toUnits(mark.start), to: points.toUnits(mark.end) }))
      .filter(({ from, to }) => from < to)
      .map(({ mark, from, to }) =>
        Decoration.mark({
          class: `mark ${mark.tone} ${mark.lit ? "lit" : ""}`,
          attributes: { "data-mark": mark.id },
        }).range(from, to),
      );
    made.dispatch({ effects: setMarks.of(Decoration.set(ranges, true)) });
  }, [JSON.stringify(marks)]);

  useEffect(() => {
    const shown =
      diff && original !== undefined
        ? unifiedMergeView({ original, mergeControls: false, gutter: true, highlightChanges: true })
        : [];
    view.current.dispatch({ effects: compare.current.reconfigure(shown) });
  }, [diff, original]);

  return h("div", { class: `code ${short ? "short" : ""} ${onChange ? "changeable" : ""}`, ref: box });
}

/** @param {any} view */
function leave(view) {
  view.contentDOM.blur();
  const next = view.dom.closest("section, article, main");
  if (next instanceof HTMLElement) {
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  return true;
}
