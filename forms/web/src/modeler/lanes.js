/*
 * Who performs what stands in a subprocess: the lane around that, or another one in which the step is drawn. bpmn-js
 * takes a step in a subprocess out of every lane as soon as it is moved; here it is put into the lane in which it stands.
 */
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

class InnerLanes {
  static $inject = [ 'eventBus', 'elementRegistry' ];

  constructor(eventBus, elementRegistry) {
    // A pure function of the drawing, so that it holds after undo and redo too; before the order of the lists is kept.
    eventBus.on('commandStack.changed', 11_000, ({ trigger }) => {
      if (trigger !== 'clear') {
        const lanes = elementRegistry.filter(one => is(one, 'bpmn:Lane') && !one.children.some(inside => is(inside, 'bpmn:Lane')));
        elementRegistry.filter(isInner).forEach(one => house(one, lanes));
      }
    });
  }
}

function isInner(element) {
  const around = element.parent && getBusinessObject(element.parent);
  return is(element, 'bpmn:FlowNode') && !element.labelTarget && around && is(around, 'bpmn:SubProcess') && !around.triggeredByEvent;
}

function house(element, lanes) {
  const node = getBusinessObject(element);
  const [ x, y ] = [ element.x + element.width / 2, element.y + element.height / 2 ];
  const drawn = lanes.filter(one => x > one.x && x < one.x + one.width && y > one.y && y < one.y + one.height);
  const named = lanes.filter(one => (getBusinessObject(one).flowNodeRef ?? []).includes(node));
  let outer = element;
  while (is(outer.parent, 'bpmn:SubProcess')) {
    outer = outer.parent;
  }
  const around = lanes.find(one => (getBusinessObject(one).flowNodeRef ?? []).includes(getBusinessObject(outer)));
  if (drawn.length !== 1 || (named.length === 1 && named[0] === drawn[0])) {
    return;
  }
  for (const one of named) {
    const list = getBusinessObject(one).get('flowNodeRef');
    list.splice(list.indexOf(node), 1);
  }
  if (drawn[0] !== around) {
    getBusinessObject(drawn[0]).get('flowNodeRef').push(node);
  }
}

export default { __init__: [ 'innerLanes' ], innerLanes: [ 'type', InnerLanes ] };
