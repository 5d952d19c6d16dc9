// What ical.js (Mozilla's, in Thunderbird) reads in calendars.
// stdin:  {name: the file, base64}
// stdout: {name: {properties: {name: text}, events: [{uid, sequence, summary, description, status, start, end, allDay,
//         url, categories, stamp}]}}; instants as ISO text of UTC, days as ISO dates.
import ICAL from 'ical.js';

import { answer, question } from './talk.mjs';

ICAL.design.strict = true;
const read = {};
for (const [name, file] of Object.entries(await question())) {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(file, 'base64'));
  const calendar = new ICAL.Component(ICAL.parse(text));
  read[name] = {
    properties: Object.fromEntries(calendar.getAllProperties().map((one) => [one.name, String(one.getFirstValue())])),
    events: calendar.getAllSubcomponents('vevent').map(told),
  };
}
answer(read);

function told(component) {
  const event = new ICAL.Event(component, { strictExceptions: true });
  const value = (name) => component.getFirstPropertyValue(name);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    description: event.description,
    status: value('status'),
    start: at(event.startDate),
    end: at(event.endDate),
    allDay: event.startDate.isDate,
    url: value('url'),
    categories: component.getFirstProperty('categories')?.getValues() ?? [],
    stamp: at(value('dtstamp')),
  };
}

function at(time) {
  return time.isDate ? time.toString() : time.toJSDate().toISOString();
}
