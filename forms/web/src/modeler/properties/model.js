/*
 * Edits on the model of a diagram, as values: every function answers what is to be changed, and changes nothing.
 *
 *   [{ of: a moddle element, set: { property: value } }, ...]        [] where nothing changes
 *
 * The panel runs such a list as one command, so that one undo takes it back whole. Written is the dialect of `bpmn/`:
 * camunda:properties by `name` on elements and by `id` in fields. What is not understood stays where it is.
 * `make(type, attributes, parent)` creates a moddle element.
 */
import {
  CONSTRAINTS, ELEMENT_PROPERTIES, EVERY_FIELD, FIELD_PROPERTIES, NO_NAMES, TYPES,
} from './words.js';

const PROPERTIES = 'camunda:Properties';
const FORM = 'camunda:FormData';

// --- Properties of elements and fields ----------------------------------------------------------------------------

/** The camunda:property list of an element or a form field. */
export function propertiesOf(holder) {
  return container(holder)?.get('values') ?? [];
}

export function propertyName(one) {
  return (one.get('name') || one.get('id') || '').trim();
}

/** The value of a property, '' where there is none. */
export function property(holder, name) {
  return find(holder, name)?.get('value') ?? '';
}

export function hasProperty(holder, name) {
  return find(holder, name) !== undefined;
}

/** Sets properties; null takes one away, and with the last one what held them. */
export function setProperties(make, holder, values) {
  const changes = [];
  const there = propertiesOf(holder);
  let list = there;
  const added = [];
  for (const [ name, value ] of Object.entries(values)) {
    const one = find(holder, name);
    if (value === null) {
      list = list.filter(other => other !== one);
    } else if (!one) {
      added.push([ name, value ]);
    } else if (one.get('value') !== value) {
      changes.push({ of: one, set: { value } });
    }
  }
  if (list.length === there.length && !added.length) {
    return changes;
  }
  const around = container(holder);
  if (!list.length && !added.length) {
    return [ ...changes, ...without(holder, around) ];
  }
  const key = isField(holder) ? 'id' : 'name';
  const fill = parent => [
    ...list, ...added.map(([ name, value ]) => make('camunda:Property', { [key]: name, value }, parent)),
  ];
  if (around) {
    return [ ...changes, { of: around, set: { values: fill(around) } } ];
  }
  return [ ...changes, ...within(make, holder, PROPERTIES, created => {
    created.values = fill(created);
  }) ];
}

function find(holder, name) {
  return propertiesOf(holder).find(one => propertyName(one) === name);
}

function isField(holder) {
  return holder.$type === 'camunda:FormField';
}

function container(holder) {
  return isField(holder) ? holder.get('properties') : extension(holder, PROPERTIES);
}

/** The first extension element of a type. */
export function extension(holder, type) {
  return holder.get('extensionElements')?.get('values')?.find(one => one.$type === type);
}

/** Puts something new into the extension elements (or into a field), filled by `fill`. */
function within(make, holder, type, fill) {
  if (isField(holder)) {
    const created = make(type, {}, holder);
    fill(created);
    return [ { of: holder, set: { properties: created } } ];
  }
  const around = holder.get('extensionElements');
  const created = make(type, {}, around);
  fill(created);
  if (around) {
    const values = around.get('values') ?? [];
    // The form stands before the properties, as in the shipped diagrams.
    return [ { of: around, set: { values: type === FORM ? [ created, ...values ] : [ ...values, created ] } } ];
  }
  const fresh = make('bpmn:ExtensionElements', {}, holder);
  fresh.values = [ created ];
  created.$parent = fresh;
  return [ { of: holder, set: { extensionElements: fresh } } ];
}

function without(holder, inside) {
  if (isField(holder)) {
    return [ { of: holder, set: { properties: undefined } } ];
  }
  const around = holder.get('extensionElements');
  const values = around.get('values').filter(one => one !== inside);
  return values.length ? [ { of: around, set: { values } } ] : [ { of: holder, set: { extensionElements: undefined } } ];
}

// --- Texts --------------------------------------------------------------------------------------------------------

export function documentation(holder) {
  return holder.get('documentation')?.[0]?.get('text') ?? '';
}

export function setDocumentation(make, holder, text) {
  const there = holder.get('documentation') ?? [];
  if (documentation(holder) === text) {
    return [];
  }
  if (!text) {
    return [ { of: holder, set: { documentation: there.slice(1) } } ];
  }
  return there.length
    ? [ { of: there[0], set: { text } } ]
    : [ { of: holder, set: { documentation: [ make('bpmn:Documentation', { text }, holder) ] } } ];
}

/** An expression without its leading "=". */
export function expression(text) {
  return (text ?? '').trim().replace(/^=/, '').trim();
}

/** An expression as it is written: with its leading "=", '' for none. */
export function written(text) {
  const plain = expression(text);
  return plain ? `=${plain}` : '';
}

export function condition(flow) {
  return expression(flow.get('conditionExpression')?.get('body'));
}

export function setCondition(make, flow, text) {
  const body = written(text);
  const there = flow.get('conditionExpression');
  if (!body) {
    return there ? [ { of: flow, set: { conditionExpression: undefined } } ] : [];
  }
  if (!there) {
    return [ { of: flow, set: { conditionExpression: make('bpmn:FormalExpression', { body }, flow) } } ];
  }
  return there.get('body') === body ? [] : [ { of: there, set: { body } } ];
}

// --- Timers -------------------------------------------------------------------------------------------------------

export function timerOf(event) {
  return event.get('eventDefinitions')?.find(one => one.$type === 'bpmn:TimerEventDefinition');
}

/** { kind, text } of a timer; kind '' where it says nothing yet. */
export function timerSays(timer) {
  const kind = [ 'timeDuration', 'timeDate', 'timeCycle' ].find(one => timer?.get(one)) ?? '';
  return { kind, text: (kind && timer.get(kind).get('body')?.trim()) || '' };
}

export function setTimer(make, timer, kind, text) {
  const now = timerSays(timer);
  if (now.kind === kind && now.text === text) {
    return [];
  }
  if (now.kind === kind) {
    return [ { of: timer.get(kind), set: { body: text } } ];
  }
  const set = { [kind]: make('bpmn:FormalExpression', { body: text }, timer) };
  if (now.kind) {
    set[now.kind] = undefined;
  }
  return [ { of: timer, set } ];
}

const ONE_UNIT = /^P(?:(\d{1,6})D|T(\d{1,6})([HM]))$/;

/** { number, unit } of "P2D", "PT20M"; null where a duration says more than one unit, or none. */
export function ofDuration(text) {
  const found = ONE_UNIT.exec((text ?? '').trim());
  if (!found) {
    return null;
  }
  return found[1] ? { number: Number(found[1]), unit: 'hari' }
    : { number: Number(found[2]), unit: found[3] === 'H' ? 'jam' : 'menit' };
}

export function duration({ number, unit }) {
  return unit === 'hari' ? `P${number}D` : `PT${number}${unit === 'jam' ? 'H' : 'M'}`;
}

/** "2 hari", "1 hari 2 jam", '' for what is no duration. */
export function inWords(text) {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/.exec((text ?? '').trim());
  return found ? [ 'hari', 'jam', 'menit' ].map((unit, n) => found[n + 1] && `${Number(found[n + 1])} ${unit}`)
    .filter(Boolean).join(' ') : '';
}

/** The name that a timer of a Mutu Baku gets: "2 hari kerja". */
export function timerName(text, clock) {
  const words = inWords(text);
  return words && `${words} ${clock === 'kalender' ? 'kalender' : 'kerja'}`;
}

// --- Forms --------------------------------------------------------------------------------------------------------

export function fieldsOf(element) {
  return extension(element, FORM)?.get('fields') ?? [];
}

/** Every field of a process: [{ field, element }]. */
export function allFields(process) {
  return everyElement(process).flatMap(element => fieldsOf(element).map(field => ({ field, element })));
}

/** Every flow element of a process, those in its subprocesses too. */
export function everyElement(around) {
  return (around.get('flowElements') ?? []).flatMap(
    one => one.$instanceOf?.('bpmn:FlowElementsContainer') ? [ one, ...everyElement(one) ] : [ one ]);
}

export function setFields(make, element, fill) {
  const form = extension(element, FORM);
  if (!form) {
    return within(make, element, FORM, created => {
      created.fields = fill([], created);
    });
  }
  const fields = fill(form.get('fields') ?? [], form);
  return fields.length ? [ { of: form, set: { fields } } ] : without(element, form);
}

/** A new field, last, or after the one at `after`. */
export function addField(make, element, { id, label, type = 'string' }, after = Infinity) {
  return setFields(make, element, (fields, form) => {
    const field = make('camunda:FormField', { id, label, type }, form);
    for (const { of, set } of furnished(make, field, type)) {
      Object.assign(of, set);
    }
    return [ ...fields.slice(0, after + 1), field, ...fields.slice(after + 1) ];
  });
}

export function removeField(make, element, field) {
  return setFields(make, element, fields => fields.filter(one => one !== field));
}

export function moveField(make, element, field, by) {
  const fields = fieldsOf(element);
  const from = fields.indexOf(field);
  const to = Math.max(0, Math.min(fields.length - 1, from + by));
  return from === to ? [] : setFields(make, element, () => moved(fields, from, to));
}

export function moved(list, from, to) {
  const rest = list.filter((_, n) => n !== from);
  return [ ...rest.slice(0, to), list[from], ...rest.slice(to) ];
}

/** What a field of this type cannot do without. */
function furnished(make, field, type) {
  if (type === 'enum' && !(field.get('values') ?? []).length) {
    return [ { of: field, set: { values: [ make('camunda:Value', { id: 'pilihan_1', name: 'Pilihan 1' }, field) ] } } ];
  }
  if (type === 'table' && !columnsOf(field).length) {
    return setProperties(make, field, { 'kolom.uraian': 'Uraian | text | wajib' });
  }
  if (type === 'document' && !property(field, 'sop.peran')) {
    return setProperties(make, field, {
      'sop.peran': 'output', 'sop.bentuk': 'berkas', 'sop.jumlah': '1', 'sop.versi': 'baru',
    });
  }
  return [];
}

/** Another type: what the new one cannot have goes, what it needs comes, all of one list. */
export function setType(make, field, type) {
  if (field.get('type') === type) {
    return [];
  }
  const known = [ ...EVERY_FIELD, ...(FIELD_PROPERTIES[type] ?? []) ];
  const foreign = Object.values(FIELD_PROPERTIES).flat().filter(name => !known.includes(name));
  const names = propertiesOf(field).map(propertyName);
  const gone = names.filter(name => foreign.includes(name) || (type !== 'table' && name.startsWith('kolom.')));
  const values = Object.fromEntries(gone.map(name => [ name, null ]));
  if (type === 'table' && !names.some(name => name.startsWith('kolom.'))) {
    values['kolom.uraian'] = 'Uraian | text | wajib';
  }
  if (type === 'document') {
    for (const [ name, value ] of [ [ 'sop.peran', 'output' ], [ 'sop.bentuk', 'berkas' ], [ 'sop.jumlah', '1' ],
      [ 'sop.versi', 'baru' ] ]) {
      if (!names.includes(name)) {
        values[name] = value;
      }
    }
  }
  const set = { type };
  const choices = field.get('values') ?? [];
  if (type === 'enum' && !choices.length) {
    set.values = [ make('camunda:Value', { id: 'pilihan_1', name: 'Pilihan 1' }, field) ];
  } else if (type !== 'enum' && choices.length) {
    set.values = [];
  }
  const misplaced = constraintsOf(field)
    .filter(one => CONSTRAINTS[one.get('name')] && !CONSTRAINTS[one.get('name')].includes(type));
  return [
    { of: field, set }, ...setProperties(make, field, values),
    ...setConstraints(make, field, Object.fromEntries(misplaced.map(one => [ one.get('name'), null ]))),
  ];
}

export function constraintsOf(field) {
  return field.get('validation')?.get('constraints') ?? [];
}

/** The config of a constraint ('' for one without), undefined where the field has none of that name. */
export function constraint(field, name) {
  const one = constraintsOf(field).find(other => other.get('name') === name);
  return one && (one.get('config') ?? '');
}

/** Whether a constraint such as required holds: it is there and does not say false. */
export function holds(field, name) {
  const config = constraint(field, name);
  return config !== undefined && config.trim().toLowerCase() !== 'false';
}

/** Sets constraints to a config; '' for one that needs none, null takes it away. */
export function setConstraints(make, field, configs) {
  const there = constraintsOf(field);
  const changes = [];
  let list = there;
  const added = [];
  for (const [ name, config ] of Object.entries(configs)) {
    const one = there.find(other => other.get('name') === name);
    if (config === null) {
      list = list.filter(other => other !== one);
    } else if (!one) {
      added.push({ name, ...(config ? { config } : {}) });
    } else if ((one.get('config') ?? '') !== config) {
      changes.push({ of: one, set: { config: config || undefined } });
    }
  }
  if (list.length === there.length && !added.length) {
    return changes;
  }
  const around = field.get('validation');
  if (!list.length && !added.length) {
    return [ ...changes, { of: field, set: { validation: undefined } } ];
  }
  const parent = around ?? make('camunda:Validation', {}, field);
  const constraints = [ ...list, ...added.map(one => make('camunda:Constraint', one, parent)) ];
  if (around) {
    return [ ...changes, { of: around, set: { constraints } } ];
  }
  parent.constraints = constraints;
  return [ ...changes, { of: field, set: { validation: parent } } ];
}

/** Choices, as { id, name }; what keeps its place keeps its element. */
export function setChoices(make, field, wanted) {
  const there = field.get('values') ?? [];
  const changes = [];
  const values = wanted.map(({ of, id, name }) => {
    if (!of) {
      return make('camunda:Value', { id, name }, field);
    }
    if (of.get('id') !== id || of.get('name') !== name) {
      changes.push({ of, set: { id, name } });
    }
    return of;
  });
  const same = values.length === there.length && values.every((one, n) => one === there[n]);
  return same ? changes : [ ...changes, { of: field, set: { values } } ];
}

// --- Columns of tables: "Label | type | wajib, tidak, baca or wajib jika FEEL | options" ---------------------------

export function columnsOf(field) {
  return propertiesOf(field).filter(one => propertyName(one).startsWith('kolom.')).map(of => {
    const [ label, type, need, ...options ] = (of.get('value') ?? '').split('|');
    const asked = (need ?? '').trim();
    const when = /^wajib\s+jika\b([^]*)$/.exec(asked);
    return {
      of,
      id: propertyName(of).slice('kolom.'.length),
      label: label.trim(),
      type: (type ?? '').trim() || 'string',
      need: when ? 'jika' : asked || 'tidak',
      when: when ? expression(when[1]) : '',
      options: options.join('|').trim(),
    };
  });
}

export function columnText({ label, type, need, when, options }) {
  const asked = need === 'jika' ? `wajib jika ${expression(when).replaceAll('|', ' ')}`.trim() : need;
  return [ label.replaceAll('|', '/').trim(), type, asked, ...(options.trim() ? [ options.trim() ] : []) ].join(' | ');
}

/** The columns in this order; one without `of` is new. What else the field says stays where it is. */
export function setColumns(make, field, wanted) {
  const around = field.get('properties');
  const changes = [];
  const parent = around ?? make(PROPERTIES, {}, field);
  const columns = wanted.map(one => {
    const id = `kolom.${one.id}`;
    if (!one.of) {
      return make('camunda:Property', { id, value: columnText(one) }, parent);
    }
    const drawn = columnsOf(field).find(other => other.of === one.of);
    const set = {};
    if (columnText(drawn) !== columnText(one)) {
      set.value = columnText(one);
    }
    if (drawn.id !== one.id) {
      Object.assign(set, one.of.get('name') ? { name: id } : { id });
    }
    if (Object.keys(set).length) {
      changes.push({ of: one.of, set });
    }
    return one.of;
  });
  const there = propertiesOf(field);
  const values = [ ...columns, ...there.filter(one => !propertyName(one).startsWith('kolom.')) ];
  const before = there.filter(one => propertyName(one).startsWith('kolom.'));
  if (columns.length === before.length && columns.every((one, n) => one === before[n])) {
    return changes;
  }
  if (around) {
    return [ ...changes, { of: around, set: { values } } ];
  }
  parent.values = values;
  return [ ...changes, { of: field, set: { properties: parent } } ];
}

// --- Names --------------------------------------------------------------------------------------------------------

/** An id out of words: "Tanggal LHR" is tanggal_lhr; '' of a text without letters and digits. */
export function idOf(text, most = 50) {
  const plain = (text ?? '').normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
  const id = (plain.match(/[a-z0-9]+/g) ?? []).join('_').slice(0, most).replace(/^_+|_+$/g, '');
  return /^[0-9]/.test(id) ? `n_${id}` : id;
}

/** The id that is wanted, else with a number after it. */
export function free(wanted, taken) {
  const used = new Set(taken);
  let id = wanted;
  for (let n = 2; used.has(id); n++) {
    id = `${wanted.slice(0, 55)}_${n}`;
  }
  return id;
}

/** Why a name of a field or a column will not do, '' where it will. */
export function wrongName(id, others) {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,59}$/.test(id)) {
    return 'Pakai huruf latin, angka dan garis bawah, diawali huruf, paling panjang 60.';
  }
  if (NO_NAMES.includes(id)) {
    return `"${id}" mempunyai arti sendiri dalam ungkapan. Beri id lain.`;
  }
  return others.includes(id) ? `Id "${id}" sudah dipakai di sini. Beri id lain.` : '';
}

/** Why an id of an element will not do, '' where it will. */
export function wrongId(id) {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/.test(id)) {
    return 'Pakai huruf latin, angka, garis bawah, titik atau tanda hubung, diawali huruf, paling panjang 100.';
  }
  return [ 'Start', 'End', 'Root' ].includes(id) || id.endsWith('.EndJoin') || id.includes('.BoundaryEvent')
    ? 'Id ini dipakai oleh mesin sendiri. Beri id lain.' : '';
}

/** Why a limit of a field will not do, '' where it will. */
export function wrongLimit(name, type, config) {
  if (config === '') {
    return '';
  }
  if (name === 'minlength' || name === 'maxlength') {
    return /^[0-9]{1,6}$/.test(config) ? '' : 'Tulis bilangan bulat, misalnya 5.';
  }
  if (type === 'long') {
    return /^-?[0-9]{1,18}$/.test(config) ? '' : 'Tulis bilangan bulat, misalnya 2000.';
  }
  if (type === 'decimal') {
    return /^-?[0-9]{1,18}(\.[0-9]{1,15})?$/.test(config) ? '' : 'Tulis bilangan dengan titik, misalnya 12.5.';
  }
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(config) && !Number.isNaN(Date.parse(config)) ? ''
    : 'Tulis tanggal seperti 2027-02-28.';
}

/** The ids in a property that lists some. */
export function listed(text) {
  return (text ?? '').split(/[\s,;]+/).filter(Boolean);
}

// --- What names an id ---------------------------------------------------------------------------------------------

const OF_LANES = [
  'sop.kepada', 'sop.tembusan', 'sop.atasan', 'sop.atasanTembusan', 'sop.perpanjangan', 'sop.kabarKembaliKepada',
  'sop.dicatatOleh', 'sop.pemulai', 'sop.pelampir', 'sop.menunjukTim',
];
const OF_TASKS = [ 'sop.asal', 'sop.menyusul', 'sop.tenggatUntuk' ];
const OF_FIELDS = [ 'sop.barisDari', 'sop.teksDari' ];
const EXPRESSIONS = [
  'sop.wajibJika', 'sop.tampilJika', 'sop.benarJika', 'sop.samaJika', 'sop.menyusulJika', 'sop.barisBawaanJika',
];

/** Everything of a process that has properties: elements, lanes, fields, what is inside a subprocess. */
function* holders(process) {
  yield process;
  for (const set of process.get('laneSets') ?? []) {
    yield* set.get('lanes') ?? [];
  }
  const waiting = [ ...process.get('flowElements') ?? [] ];
  while (waiting.length) {
    const one = waiting.shift();
    yield one;
    yield* fieldsOf(one);
    if (one.$instanceOf?.('bpmn:FlowElementsContainer')) {
      waiting.push(...one.get('flowElements') ?? []);
    }
  }
}

/** An element or a lane gets another id: what names the old one names the new one. */
export function renamed(process, before, after) {
  const changes = [];
  for (const holder of holders(process)) {
    for (const one of propertiesOf(holder)) {
      const name = propertyName(one);
      if (!OF_LANES.includes(name) && !OF_TASKS.includes(name)) {
        continue;
      }
      const value = (one.get('value') ?? '')
        .replace(/[^\s,;:]+/g, word => (word === before ? after : word));
      if (value !== one.get('value')) {
        changes.push({ of: one, set: { value } });
      }
    }
  }
  return changes;
}

/** Where the id of a field is used besides: names of elements and flows, each once. */
export function usesOf(process, id, field) {
  const word = new RegExp(`(?<![A-Za-z0-9_])${id.replace(/[^A-Za-z0-9_]/g, '\\$&')}(?![A-Za-z0-9_])`);
  const found = [];
  const note = holder => {
    const of = holder.$type === 'camunda:FormField' ? `isian "${holder.get('label') || holder.get('id')}"`
      : `"${holder.get('name') || holder.get('id')}"`;
    if (!found.includes(of)) {
      found.push(of);
    }
  };
  for (const holder of holders(process)) {
    if (holder !== field && isField(holder) && holder.get('id') === id) {
      note(holder.$parent?.$parent?.$parent ?? holder);
    }
    if (holder !== field && propertiesOf(holder).some(one => uses(one, id, word))) {
      note(holder);
    }
    if (holder !== field && isField(holder)
        && (word.test(initial(holder)) || (holder.get('defaultValue') ?? '').includes(`{${id}}`))) {
      note(holder);
    }
    if (holder.$type === 'bpmn:SequenceFlow' && word.test(condition(holder))) {
      note(holder);
    }
    if (holder.get('eventDefinitions') && word.test(timerSays(timerOf(holder)).text)) {
      note(holder);
    }
  }
  return found;
}

function uses(one, id, word) {
  const name = propertyName(one);
  const value = one.get('value') ?? '';
  return (EXPRESSIONS.includes(name) && word.test(value)) || (OF_FIELDS.includes(name) && listed(value).includes(id))
    || (name.startsWith('kolom.') && /wajib\s+jika/.test(value) && word.test(value));
}

function initial(field) {
  const text = field.get('defaultValue') ?? '';
  return text.startsWith('=') ? text : '';
}

/** What a condition may ask of the choices of a process: `field = "value"`, decisions first. */
export function templates(process) {
  const decided = ({ field }) => (property(field, 'sop.keputusan') === 'ya' ? 0 : 1);
  const seen = new Set();
  return allFields(process)
    .filter(({ field }) => [ 'enum', 'boolean' ].includes(field.get('type')))
    .sort((one, other) => decided(one) - decided(other))
    .flatMap(({ field }) => (field.get('type') === 'boolean'
      ? [ { text: `${field.get('id')} = true`, label: `${field.get('label')}: dicentang` } ]
      : (field.get('values') ?? []).map(value => ({
        text: `${field.get('id')} = "${value.get('id')}"`,
        label: `${field.get('label')}: ${value.get('name') || value.get('id')}`,
      }))))
    .filter(({ text }) => !seen.has(text) && seen.add(text));
}

// --- What the panel does not know -----------------------------------------------------------------------------------

/** Properties and extensions that are shown and never touched: [{ name, value }]. */
export function strangers(holder) {
  const found = [];
  if (isField(holder)) {
    const known = [ ...EVERY_FIELD, ...(FIELD_PROPERTIES[holder.get('type')] ?? []) ];
    for (const one of propertiesOf(holder)) {
      const name = propertyName(one);
      if (!known.includes(name) && !(holder.get('type') === 'table' && name.startsWith('kolom.'))) {
        found.push({ name, value: one.get('value') ?? '' });
      }
    }
    for (const one of constraintsOf(holder)) {
      if (!CONSTRAINTS[one.get('name')]?.includes(holder.get('type'))) {
        found.push({ name: `batasan ${one.get('name')}`, value: one.get('config') ?? '' });
      }
    }
    return found;
  }
  const kind = local(holder.$type);
  const known = (ELEMENT_PROPERTIES[kind] ?? [])
    .filter(name => kind !== 'startEvent' || (name === 'sop.pemulai') !== Boolean(timerOf(holder)));
  for (const one of propertiesOf(holder)) {
    if (!known.includes(propertyName(one))) {
      found.push({ name: propertyName(one), value: one.get('value') ?? '' });
    }
  }
  for (const one of holder.get('extensionElements')?.get('values') ?? []) {
    if (one.$type !== PROPERTIES && !(one.$type === FORM && [ 'userTask', 'startEvent' ].includes(kind))) {
      found.push({ name: one.$type, value: attributesOf(one) });
    }
  }
  for (const [ name, value ] of Object.entries(holder.$attrs ?? {})) {
    if (!name.startsWith('xmlns')) {
      found.push({ name, value: String(value) });
    }
  }
  for (const one of holder.$descriptor?.properties ?? []) {
    const value = one.ns?.prefix === 'camunda' && Object.hasOwn(holder, one.ns.localName) && holder[one.ns.localName];
    if (value !== false && value !== undefined && typeof value !== 'object') {
      found.push({ name: one.name, value: String(value) });
    }
  }
  return found;
}

function local(type) {
  const name = type.split(':').pop();
  return name[0].toLowerCase() + name.slice(1);
}

function attributesOf(one) {
  return Object.entries(one).filter(([ name, value ]) => !name.startsWith('$') && typeof value !== 'object')
    .map(([ name, value ]) => `${name}=${value}`).join(' ');
}

export const FIELD_TYPES = Object.keys(TYPES);
