// A program of one's own, run in the sandbox.
import { post } from "../api.js";
import { Code } from "../code.js";
import { Ran } from "../fields.js";
import { html, trying } from "../shell.js";
import { useSignal } from "../vendor.js";

/** @param {{seat: any, code: string, language: string}} props */
export function Program({ seat, code, language }) {
  const open = useSignal(false);
  const program = useSignal(code);
  const ran = useSignal(/** @type {any} */ (null));
  const busy = useSignal(false);
  if (language !== "python") return null;
  const run = async () => {
    busy.value = true;
    const found = await trying(() => post(`/seats/${seat.id}/run`, { program: program.value }));
    busy.value = false;
    if (found) ran.value = found.program;
  };
  return html`<details class="program" onToggle=${(/** @type {any} */ e) => (open.value = e.target.open)}>
    <summary>Run it, with lines of your own</summary>
    ${open.value && html`<${Code} short text=${program.value} label="A program to run" onChange=${(/** @type {string} */ text) => (program.value = text)} />
      <p class="row"><button onClick=${run} disabled=${busy.value}>${busy.value ? "Running…" : "Run in the sandbox"}</button></p>
      <div aria-live="polite">${ran.value && html`<${Ran} title="Your program" run=${ran.value} />`}</div>`}
  </details>`;
}
