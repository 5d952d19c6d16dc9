// What bpmn-moddle says of diagrams, bare and with Camunda's descriptor.
// stdin:  {name: XML}
// stdout: {name: {bare, camunda}}, each {warnings, xml, types}: xml is the diagram written again, types the Camunda
//         types that were understood, with how often each occurs (none without the descriptor).
import { BpmnModdle } from 'bpmn-moddle';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json' with { type: 'json' };

import { answer, question } from './talk.mjs';

const seen = {};
for (const [name, diagram] of Object.entries(await question())) {
  seen[name] = {
    bare: await seenBy(new BpmnModdle(), diagram),
    camunda: await seenBy(new BpmnModdle({ camunda }), diagram),
  };
}
answer(seen);

async function seenBy(moddle, diagram) {
  const { rootElement, warnings } = await moddle.fromXML(diagram);
  const { xml } = await moddle.toXML(rootElement, { format: true });
  return { warnings: warnings.map((one) => one.message), xml, types: camundaTypes(rootElement) };
}

function camundaTypes(element, found = {}) {
  if (element.$type?.startsWith('camunda:') && element.$descriptor?.isGeneric !== true) {
    found[element.$type] = (found[element.$type] ?? 0) + 1;
  }
  for (const property of element.$descriptor?.properties ?? []) {
    if (property.isReference) continue;
    for (const child of [element[property.name]].flat()) if (child?.$type) camundaTypes(child, found);
  }
  return found;
}
