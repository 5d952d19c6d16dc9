/*
 * Text that may become HTML where the content policy asks for trusted types; only these names may say so.
 *
 *   "alur"      what our server drew
 *   "bpmn-js"   the libraries' own templates; build.mjs puts the call where they write them
 *
 * A policy is made when it is first needed: two of one name are refused, and static/trusted.js makes "alur" too.
 */
const plain = { createHTML: text => text };
const policies = {};

export function trusted(name, text) {
  policies[name] ??= globalThis.trustedTypes?.createPolicy(name, plain) ?? plain;
  return policies[name].createHTML(text);
}
