// One run of a diagram in bpmn-elements, an engine that shares no line with ours. FEEL is feelin's.
// stdin:  {diagram: XML, data, answers: {user task: [fields of round 1, of round 2, ...]}, late: [user tasks]}
//         late: the boundary timers of these fire while their user task is open, once a round. A timer on the
//         way fires when no user task is open.
// stdout: {completed, user_tasks, ended, timers, conditions}
//         user_tasks: ids in the order they were completed; ended: end events in the order they were reached;
//         timers: {boundary event: what it was told to wait}; conditions: [{expression, value}] as they were asked.
import * as elements from 'bpmn-elements';
import { BpmnModdle } from 'bpmn-moddle';
import { evaluate } from 'feelin';
import { Serializer, TypeResolver } from 'moddle-context-serializer';

import { answer, question } from './talk.mjs';

const { diagram, data = {}, answers = {}, late = [] } = await question();
const seen = { completed: false, user_tasks: [], ended: [], timers: {}, conditions: [] };
const open = [];

// Nothing here waits for a clock: a timer fires when the walk says so.
const timers = new elements.Timers({ setTimeout: () => null, clearTimeout: () => null });
const environment = new elements.Environment({
  expressions: { resolveExpression, isExpression: isFeel, hasExpression: isFeel },
  timers,
  settings: { strict: true },
});
const context = new elements.Context(
  Serializer(await new BpmnModdle().fromXML(diagram), TypeResolver(elements)),
  environment,
);
const definition = new elements.Definition(context);
const listen = (event, handler) => definition.broker.subscribeTmp('event', event, handler, { noAck: true });
listen('activity.wait', (_, { content }) => open.push(content));
listen('activity.timer', (_, { content }) => {
  seen.timers[content.id] = content.timeDuration ?? content.timeDate ?? content.timeCycle;
});
listen('activity.end', (_, { content }) => content.type === 'bpmn:EndEvent' && seen.ended.push(content.id));
definition.run();

// As many rounds as anyone will ask for; a diagram that goes on for ever is an error, not a hang.
for (let step = 0; open.length || fireWaitingTimer(); step += 1) {
  if (step === 1000) throw new Error(`no end after ${step} user tasks: ${seen.user_tasks.slice(-10).join(', ')}`);
  const { id, executionId } = open.shift() ?? {};
  if (late.includes(id)) fireBoundaryTimersOf(id);
  if (!isOpen(id)) continue;
  Object.assign(data, answers[id]?.[seen.user_tasks.filter((one) => one === id).length] ?? {});
  seen.user_tasks.push(id);
  definition.signal({ id, executionId });
}
seen.completed = !definition.isRunning && definition.counters.completed === 1;
answer(seen);

function fireBoundaryTimersOf(id) {
  for (const timer of timers.executing) {
    if (definition.getActivityById(timer.owner.id).attachedTo?.id === id) timer.callback();
  }
}

// With no user task open, what the instance waits for is a timer on its way.
function fireWaitingTimer() {
  const timer = timers.executing.find((one) => !definition.getActivityById(one.owner.id).attachedTo);
  timer?.callback();
  return timer !== undefined;
}

function isOpen(id) {
  return definition.getPostponed().some((one) => one.id === id);
}

function isFeel(text) {
  return typeof text === 'string' && text.startsWith('=');
}

function resolveExpression(text) {
  if (!isFeel(text)) return text;
  const { value, warnings } = evaluate(text.slice(1), data);
  if (warnings.length) throw new Error(`${text}: ${warnings.map((one) => one.message).join('; ')}`);
  seen.conditions.push({ expression: text, value });
  return value;
}
