// What bpmnlint's recommended rules say of diagrams.
// stdin:  {name: XML}
// stdout: {name: [{rule, category, id, message}]}, empty for a clean one.
import { createRequire } from 'node:module';

import { BpmnModdle } from 'bpmn-moddle';
import Linter from 'bpmnlint/lib/linter.js';
import NodeResolver from 'bpmnlint/lib/resolver/node-resolver.js';

import { answer, question } from './talk.mjs';

const resolver = new NodeResolver({ require: createRequire(import.meta.url) });
const found = {};
for (const [name, diagram] of Object.entries(await question())) {
  // Its rules remember the ids of the diagram before; each diagram gets fresh ones.
  const linter = new Linter({ resolver });
  const { rootElement } = await new BpmnModdle().fromXML(diagram);
  const reports = await linter.lint(rootElement, { extends: 'bpmnlint:recommended' });
  found[name] = Object.entries(reports).flatMap(([rule, reported]) =>
    reported.map(({ category, id, message }) => ({ rule, category, id, message })));
}
answer(found);
