/*
 * Edits that move or draw something: a task into another lane, the timer of its Mutu Baku with the end event after it.
 * Everything through bpmn-js's modeling, within the command of whoever calls.
 */
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

import {
  everyElement, inWords, ofDuration, property, renamed, setProperties, setTimer, timerName, timerOf, timerSays,
} from './model.js';

const TIMER_LEFT = 7; // where the shipped diagrams have it, in units of the drawing
const REMINDER_BELOW = 56; // between the middles of a timer and its end event
const EVENT = 36;
const STEP = 20; // by which a free place is looked for

/** The process that an element belongs to. */
export function processOf(element) {
  let one = getBusinessObject(element);
  if (is(one, 'bpmn:Participant')) {
    return one.get('processRef');
  }
  if (is(one, 'bpmn:Collaboration')) {
    return one.get('participants').map(other => other.get('processRef')).find(Boolean);
  }
  while (one && !is(one, 'bpmn:Process')) {
    one = one.$parent;
  }
  return one;
}

export function lanesOf(process) {
  const found = [];
  const waiting = [ ...process?.get('laneSets') ?? [] ];
  while (waiting.length) {
    for (const lane of waiting.shift().get('lanes') ?? []) {
      found.push(lane);
      if (lane.get('childLaneSet')) {
        waiting.push(lane.get('childLaneSet'));
      }
    }
  }
  return found;
}

export function laneOf(element) {
  const lanes = lanesOf(processOf(element));
  // What stands in a subprocess and is named by no lane follows that.
  for (let node = getBusinessObject(element); node && !is(node, 'bpmn:Process'); node = node.$parent) {
    const found = lanes.findLast(lane => (lane.get('flowNodeRef') ?? []).includes(node));
    if (found) {
      return found;
    }
  }
  return undefined;
}

/** The norm of a task as drawn: its first boundary event that counts a duration and does not interrupt. */
export function normOf(modeler, task) {
  const elements = modeler.get('elementRegistry');
  const host = getBusinessObject(task);
  const event = (host.$parent?.get('flowElements') ?? []).find(one => one.$type === 'bpmn:BoundaryEvent'
    && one.get('attachedToRef') === host && one.get('cancelActivity') === false
    && timerSays(timerOf(one)).kind === 'timeDuration');
  return event && elements.get(event.get('id'));
}

// --- The Mutu Baku Waktu ------------------------------------------------------------------------------------------

/** Sets the norm of a task; draws the timer and its end event where there is none. `how` = { text, clock }. */
export function setNorm(modeler, make, task, { text, clock }) {
  const apply = applier(modeler);
  const host = getBusinessObject(task);
  const drawn = normOf(modeler, task);
  if (!drawn) {
    create(modeler, make, task, { text, clock });
    return;
  }
  const event = getBusinessObject(drawn);
  const before = { text: timerSays(timerOf(event)).text, clock: property(event, 'sop.satuanWaktu') };
  apply(drawn, [
    ...setTimer(make, timerOf(event), 'timeDuration', text),
    // Working time is what is meant where nothing is said.
    ...((clock || 'kerja') === (before.clock || 'kerja') ? []
      : setProperties(make, event, { 'sop.satuanWaktu': clock === 'kalender' ? clock : null })),
  ]);
  if (event.get('name') === timerName(before.text, before.clock) && timerName(text, clock)) {
    rename(modeler, drawn, timerName(text, clock));
  }
  // The SOP's cell follows the timer as long as it says the same; its own wording stays.
  if (says(host, before.text)) {
    apply(task, setProperties(make, host, { 'sop.waktu': inWords(text) }));
  }
}

function says(host, text) {
  const words = inWords(text);
  return words !== '' && property(host, 'sop.waktu').trim().toLowerCase() === words;
}

export function removeNorm(modeler, make, task) {
  const drawn = normOf(modeler, task);
  const text = timerSays(timerOf(getBusinessObject(drawn))).text;
  const ends = drawn.outgoing.map(flow => flow.target)
    .filter(one => is(one, 'bpmn:EndEvent') && one.incoming.length === 1);
  modeler.get('modeling').removeElements([ drawn, ...ends ]);
  const host = getBusinessObject(task);
  if (says(host, text)) {
    applier(modeler)(task, setProperties(make, host, { 'sop.waktu': null }));
  }
}

function create(modeler, make, task, { text, clock }) {
  const modeling = modeler.get('modeling');
  const factory = modeler.get('elementFactory');
  const bpmn = modeler.get('bpmnFactory');
  const host = getBusinessObject(task);
  const number = property(host, 'sop.nomor') || host.get('id').replace(/^langkah_/, '');
  const suffix = host.get('id').replace(/^langkah_/, '');
  const event = bpmn.create('bpmn:BoundaryEvent', {
    id: freeId(modeler, `waktu_${suffix}`), name: timerName(text, clock), cancelActivity: false,
  });
  const timer = make('bpmn:TimerEventDefinition', { id: freeId(modeler, `${event.id}_lewat`) }, event);
  event.eventDefinitions = [ timer ];
  for (const { of, set } of [ ...setTimer(make, timer, 'timeDuration', text),
    ...setProperties(make, event, reminders(task, text, clock)) ]) {
    assign(of, set);
  }
  const at = { x: task.x + TIMER_LEFT + EVENT / 2, y: task.y + task.height };
  const shape = modeling.createShape(
    factory.createShape({ type: 'bpmn:BoundaryEvent', businessObject: event }), at, task, { attach: true });
  const end = bpmn.create('bpmn:EndEvent', {
    id: freeId(modeler, `pengingat_${suffix}`), name: `Pengingat ${number}`,
  });
  const reminder = modeling.createShape(
    factory.createShape({ type: 'bpmn:EndEvent', businessObject: end }), placeOf(modeler, task, at), task.parent);
  const flow = bpmn.create('bpmn:SequenceFlow', { id: freeId(modeler, `${event.id}_ke_${end.id}`) });
  modeling.createConnection(shape, reminder, factory.createConnection({
    type: 'bpmn:SequenceFlow', businessObject: flow,
  }), task.parent);
}

function assign(of, set) {
  for (const [ name, value ] of Object.entries(set)) {
    of.set(name, value);
  }
}

/** What a new timer says, as the drawing of an SOP table writes it. */
function reminders(task, text, clock) {
  const host = getBusinessObject(task);
  const process = processOf(task);
  const lane = laneOf(task)?.get('id') ?? '';
  const name = host.get('name') || host.get('id');
  const above = superior(process, task);
  const days = ofDuration(text)?.unit === 'hari';
  return {
    'sop.pengingat': `Langkah {n} (${name}) telah melewati batas waktu {batas} ({lewat}). Mohon segera diselesaikan.`,
    ...(lane ? { 'sop.kepada': lane } : {}),
    'sop.perihal': `Pengingat: Langkah {n} ${nameOf(process)} melewati batas waktu`.replace(/ +/g, ' '),
    ...(days ? {
      'sop.pengingatSebelum': `Langkah {n} (${name}) harus selesai paling lambat {batas}; sisa waktu {sisa}.`,
    } : {}),
    ...(above ? {
      'sop.pengingatAtasan': `Langkah {n} (${name}) belum selesai, {lewat} melewati batas waktu. `
        + 'Pelaksana: {pelaksana}. Mohon arahan.',
      'sop.atasan': above,
      ...(days ? { 'sop.perpanjangan': above } : {}),
    } : {}),
    ...(clock === 'kalender' ? { 'sop.satuanWaktu': clock } : {}),
  };
}

/** Whom a delay is told to: who decides over this SOP, else who gives the first order; '' for nobody else. */
function superior(process, task) {
  const own = laneOf(task)?.get('id');
  const tasks = everyElement(process).filter(one => one.$type === 'bpmn:UserTask');
  const lane = one => laneOf(one)?.get('id');
  const decides = one => (one.get('outgoing') ?? [])
    .some(flow => is(flow.get('targetRef'), 'bpmn:ExclusiveGateway') && flow.get('targetRef').get('outgoing').length > 1);
  return [ ...tasks.filter(decides), ...tasks ].map(lane).find(id => id && id !== own) ?? '';
}

export function nameOf(process) {
  const pool = (process?.$parent?.get('rootElements') ?? []).flatMap(one => one.get?.('participants') ?? [])
    .find(one => one.get('processRef') === process);
  return (process?.get('name') || pool?.get('name') || '').trim();
}

/** Where the end event of a timer goes: below it in the same lane or subprocess, else beside, else below all the same.
 * It covers neither the timer nor the task, which the gate would refuse. */
function placeOf(modeler, task, at) {
  const room = is(task.parent, 'bpmn:SubProcess') ? task.parent : laneShape(modeler, task);
  const boxAt = ({ x, y }) => ({ x: x - EVENT / 2, y: y - EVENT / 2, width: EVENT, height: EVENT });
  const others = [ ...siblings(task), boxAt(at) ];
  const fits = place => {
    const box = boxAt(place);
    return (!room || inside(box, room)) && !others.some(one => overlap(box, one));
  };
  const below = { x: at.x, y: at.y + REMINDER_BELOW };
  const tried = [ below ];
  for (const down of [ REMINDER_BELOW, 40, 28, -20 ]) {
    for (let right = 0; right <= 160; right += STEP) {
      tried.push({ x: at.x + right, y: at.y + down });
    }
  }
  return tried.find(fits) ?? below;
}

// --- Lanes --------------------------------------------------------------------------------------------------------

/** Moves a task, its boundary events and their reminders into a lane: as high in it as before, where there is room. */
export function moveToLane(modeler, make, task, lane) {
  const target = modeler.get('elementRegistry').get(lane.get('id'));
  const source = laneShape(modeler, task);
  const before = laneOf(task)?.get('id');
  const own = task.attachers.flatMap(one => one.outgoing.map(flow => flow.target))
    .filter(one => is(one, 'bpmn:EndEvent') && one.incoming.length === 1);
  const group = [ task, ...own ];
  const height = Math.max(...group.map(one => one.y + one.height)) - task.y;
  const top = target.y + Math.max(10, Math.min(source ? task.y - source.y : 20, target.height - height - 10));
  const delta = { x: 0, y: Math.round(top - task.y) };
  const others = siblings(task).filter(one => !group.includes(one) && !task.attachers.includes(one));
  const hits = x => group.some(one => others.some(other => overlap(
    { x: one.x + x, y: one.y + delta.y, width: one.width, height: one.height }, other)));
  const right = target.x + target.width - Math.max(...group.map(one => one.x + one.width)) - 10;
  const left = target.x - Math.min(...group.map(one => one.x)) + 40;
  const shifts = [ 0 ];
  for (let x = STEP; x < 2000; x += STEP) {
    shifts.push(...[ x, -x ].filter(one => one <= right && one >= left));
  }
  delta.x = shifts.find(x => !hits(x)) ?? 0;
  modeler.get('modeling').moveElements(group, delta, task.parent, { autoResize: false });
  const norm = normOf(modeler, task);
  const event = norm && getBusinessObject(norm);
  // Who is reminded is who performs; that a person has put somebody else there stays.
  if (event && before && property(event, 'sop.kepada').trim() === before) {
    applier(modeler)(norm, setProperties(make, event, { 'sop.kepada': lane.get('id') }));
  }
}

function laneShape(modeler, task) {
  const lane = laneOf(task);
  return lane && modeler.get('elementRegistry').get(lane.get('id'));
}

function siblings(task) {
  return task.parent.children.filter(one => !one.waypoints && !one.labelTarget && !is(one, 'bpmn:Lane')
    && !is(one, 'bpmn:TextAnnotation') && one.host !== task);
}

function inside(box, lane) {
  return box.x >= lane.x + 30 && box.y >= lane.y + 4 && box.x + box.width <= lane.x + lane.width - 4
    && box.y + box.height <= lane.y + lane.height - 4;
}

function overlap(one, other) {
  return one.x < other.x + other.width && other.x < one.x + one.width
    && one.y < other.y + other.height && other.y < one.y + one.height;
}

// --- Names --------------------------------------------------------------------------------------------------------

export function rename(modeler, element, name) {
  modeler.get('modeling').updateProperties(element, { name });
}

/**
 * How a file stands before an edit: its lists in their order, and what labels are drawn where. bpmn-js takes out and puts
 * in at the end, and so moves through the file what only moves in the drawing; for a name that is taken back it leaves
 * its label behind.
 */
export function standing(modeler) {
  const root = modeler.getDefinitions();
  const lists = [];
  const note = list => list && lists.push([ list, [ ...list ] ]);
  for (const one of root?.get('rootElements') ?? []) {
    const inside = [ one ];
    while (inside.length) {
      const node = inside.shift();
      note(node.flowElements);
      note(node.artifacts);
      note(node.incoming);
      note(node.outgoing);
      inside.push(...node.flowElements ?? []);
    }
    if (is(one, 'bpmn:Process')) {
      lanesOf(one).forEach(lane => note(lane.flowNodeRef));
    }
  }
  const drawn = (root?.get('diagrams') ?? []).flatMap(one => {
    note(one.plane?.planeElement);
    return one.plane?.planeElement ?? [];
  });
  const labels = drawn.map(of => [ of, of.label, of.label?.bounds && boundsOf(of.label.bounds) ]);
  return { lists, labels };
}

function boundsOf({ x, y, width, height }) {
  return { x, y, width, height };
}

/** Puts what is still there into its order again; what is new stays where it is. `back`: the labels too. */
export function stood({ lists, labels }, back = false) {
  for (const [ of, label, bounds ] of labels) {
    // For every name that changes bpmn-js notes a label in the drawing, an empty one where the name stands inside.
    if (of.label !== label && (back || !of.label?.bounds)) {
      of.set('label', label);
    }
    if (back && bounds) {
      Object.assign(of.label.bounds, bounds);
    } else if (back && of.label?.bounds) {
      of.label.set('bounds', undefined);
    }
  }
  for (const [ list, before ] of lists) {
    const there = new Set(list);
    const known = new Set(before);
    const kept = before.filter(one => there.has(one));
    let n = 0;
    list.forEach((one, at) => {
      if (known.has(one)) {
        list[at] = kept[n++];
      }
    });
  }
}

/** Gives an element another id; whatever names it names the new one. */
export function setId(modeler, element, id) {
  const before = getBusinessObject(element).get('id');
  const process = processOf(element);
  applier(modeler)(element, process ? renamed(process, before, id) : []);
  modeler.get('modeling').updateProperties(element, { id });
}

/** Whether anything in the file has this id. */
export function taken(modeler, id) {
  const known = modeler.get('moddle').ids.assigned(id);
  return Boolean(modeler.get('elementRegistry').get(id)) || Boolean(known && drawn(modeler, known));
}

/** What an undone command has made is still known by its id, but stands nowhere. */
function drawn(modeler, element) {
  const root = modeler.getDefinitions();
  for (let one = element; one; one = one.$parent) {
    if (one === root) {
      return true;
    }
  }
  return false;
}

function freeId(modeler, wanted) {
  let id = wanted;
  for (let n = 2; taken(modeler, id); n++) {
    id = `${wanted}_${n}`;
  }
  return id;
}

/** Runs a list of changes of the model on an element. */
export function applier(modeler) {
  const modeling = modeler.get('modeling');
  return (element, changes) => {
    for (const { of, set } of changes) {
      modeling.updateModdleProperties(element, of, set);
    }
  };
}
