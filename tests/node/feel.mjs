// What feelin answers to FEEL expressions.
// stdin:  [{expression, data, at}]; at is optional: the local date and time that today() and now() give.
// stdout: [{value, warnings, thrown}], warnings by type; thrown is what it threw, with null for the value. JSON has no dates: {"date": "2027-03-01"}, {"time": "09:30:00"},
//         {"date and time": ...}, {"duration": "P2D"} stand for them, in the data and in the values.
import { FeelDate, FeelDateTime, FeelDuration, FeelTime, date, dateAndTime, duration, evaluate, time } from 'feelin';

import { answer, question } from './talk.mjs';

const KINDS = [
  ['date', FeelDate, date],
  ['time', FeelTime, time],
  ['date and time', FeelDateTime, dateAndTime],
  ['duration', FeelDuration, duration],
];

answer((await question()).map(({ expression, data = {}, at }) => {
  const clock = at ? { today: () => date(at.slice(0, 10)), now: () => dateAndTime(at) } : {};
  try {
    const { value, warnings } = evaluate(expression, { ...clock, ...fromJson(data) });
    return { value: toJson(value), warnings: warnings.map((one) => one.type) };
  } catch (error) {
    return { value: null, warnings: [], thrown: String(error) };
  }
}));

function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value === null || typeof value !== 'object') return value;
  const keys = Object.keys(value);
  const kind = keys.length === 1 && KINDS.find(([name]) => name === keys[0]);
  if (kind) return kind[2](value[keys[0]]);
  return Object.fromEntries(keys.map((key) => [key, fromJson(value[key])]));
}

function toJson(value) {
  if (Array.isArray(value)) return value.map(toJson);
  if (value === null || typeof value !== 'object') return value ?? null;
  const kind = KINDS.find(([, type]) => value instanceof type);
  if (kind) return { [kind[0]]: String(value) };
  return Object.fromEntries(Object.keys(value).map((key) => [key, toJson(value[key])]));
}
