// Any form, in words.
import { html } from "../shell.js";
import { visible } from "../text.js";

/** @param {{value: any}} props @returns {any} */
export function Plain({ value }) {
  const empty = value === "" || value == null || (typeof value === "object" && !Object.keys(value).length);
  if (empty) return html`<span class="quiet">–</span>`;
  if (typeof value !== "object") return html`<span class="text">${visible(String(value))}</span>`;
  if (Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null)) {
    return html`<span class="text">${value.map((one, i) => html`${i > 0 && " · "}${visible(String(one ?? "–"))}`)}</span>`;
  }
  return html`<dl class="plain-form">
    ${Object.entries(value).map(([key, one]) => html`<div><dt>${Array.isArray(value) ? Number(key) + 1 : key.replaceAll("_", " ")}</dt><dd><${Plain} value=${one} /></dd></div>`)}
  </dl>`;
}
