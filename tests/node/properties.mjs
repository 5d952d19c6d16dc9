// What the edits of the properties panel make of a diagram, with bpmn-moddle and Camunda's descriptor.
// stdin:  {xml, edits: [[function of model.js, ...arguments]], ask: [[function, ...arguments]]}
//         An argument {"element": ID} is that element, {"field": ID, "of": ID} a form field of it.
// stdout: {xml after all edits, steps: [{changed: how many moddle elements, undone: whether taking it back gave the same
//         XML again}], answers: [value], tables: what words.js says a diagram may hold}
import { BpmnModdle } from 'bpmn-moddle';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json' with { type: 'json' };

import * as model from '../../forms/web/src/modeler/properties/model.js';
import {
  CONSTRAINTS, ELEMENT_PROPERTIES, EVERY_FIELD, FIELD_PROPERTIES, NO_NAMES, SLOT_FORMS, TYPES,
} from '../../forms/web/src/modeler/properties/words.js';
import { answer, question } from './talk.mjs';

const { xml, edits = [], ask = [] } = await question();
const moddle = new BpmnModdle({ camunda });
const { rootElement, elementsById } = await moddle.fromXML(xml);
const process = rootElement.rootElements.find(one => one.$type === 'bpmn:Process');
const make = (type, attributes, parent) => {
  const created = moddle.create(type, attributes);
  created.$parent = parent;
  return created;
};

const steps = [];
for (const [ name, ...given ] of edits) {
  const before = await written();
  const changes = model[name](make, ...given.map(meant));
  const old = changes.map(({ of, set }) => ({ of, set: Object.fromEntries(Object.keys(set).map(key => [ key, of.get(key) ])) }));
  const silent = await written() === before; // an edit is a value: until it is run nothing has changed
  run(changes);
  const after = await written();
  run([ ...old ].reverse());
  const undone = silent && await written() === before;
  run(changes);
  steps.push({ changed: changes.length, undone: undone && await written() === after });
}
const answers = ask.map(([ name, ...given ]) => plain(model[name](...given.map(meant))));
answer({
  xml: await written(), steps, answers,
  tables: { CONSTRAINTS, ELEMENT_PROPERTIES, EVERY_FIELD, FIELD_PROPERTIES, NO_NAMES, SLOT_FORMS, TYPES },
});

function run(changes) {
  for (const { of, set } of changes) {
    for (const [ key, value ] of Object.entries(set)) {
      of.set(key, value);
    }
  }
}

async function written() {
  return (await moddle.toXML(rootElement, { format: true })).xml;
}

function meant(given) {
  if (given?.process) {
    return process;
  }
  if (given?.field) {
    return model.fieldsOf(elementsById[given.of]).find(one => one.get('id') === given.field);
  }
  return given?.element ? elementsById[given.element] : given;
}

function plain(value) {
  return value === undefined ? null : value;
}
