/*
 * Keeps everything at its place in the file. bpmn-js puts what is moved or changed in kind to the end of its process and
 * its lane; but the order says something here (which way out of a gateway is asked first, in what order steps are listed),
 * and a drawing that was only tidied must mean what it meant. What is new comes last, what comes back to its old place.
 */
class KeepOrder {
  static $inject = [ 'eventBus', 'bpmnjs' ];

  constructor(eventBus, bpmnjs) {
    let places = new Map(); // list -> id -> its place
    eventBus.on('import.done', () => {
      places = new Map();
      restore(places, bpmnjs.getDefinitions());
    });
    eventBus.on('commandStack.changed', 10_000, ({ trigger }) => {
      if (trigger !== 'clear') {
        restore(places, bpmnjs.getDefinitions());
      }
    });
  }
}

function restore(places, definitions) {
  for (const [ name, list, key ] of lists(definitions)) {
    if (!places.has(name)) {
      places.set(name, new Map());
    }
    const known = places.get(name);
    for (const one of list) {
      if (!known.has(key(one))) {
        known.set(key(one), known.size);
      }
    }
    list.sort((a, b) => known.get(key(a)) - known.get(key(b)));
  }
}

function* lists(definitions) {
  const id = one => one.id;
  const drawn = one => one.bpmnElement?.id ?? one.id;
  const waiting = [ ...definitions?.rootElements ?? [] ];
  while (waiting.length) {
    const one = waiting.pop();
    for (const name of [ 'flowElements', 'artifacts', 'participants' ]) {
      if (one[name]?.length) {
        yield [ `${one.id}/${name}`, one[name], id ];
        waiting.push(...one[name]);
      }
    }
    for (const set of one.laneSets ?? []) {
      for (const lane of set.lanes ?? []) {
        if (lane.flowNodeRef?.length) {
          yield [ `${lane.id}/flowNodeRef`, lane.flowNodeRef, id ];
        }
      }
    }
  }
  for (const { plane } of definitions?.diagrams ?? []) {
    if (plane?.planeElement?.length) {
      yield [ `${plane.id}/planeElement`, plane.planeElement, drawn ];
    }
  }
}

export default {
  __init__: [ 'keepOrder' ],
  keepOrder: [ 'type', KeepOrder ],
  // bpmn-js would write the shapes in the order in which they lie over each other.
  bpmnDiOrdering: [ 'value', null ],
};
