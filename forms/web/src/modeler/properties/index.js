/*
 * The properties panel of the modeler: what an element of the SOP says, in the order in which its owner thinks.
 *
 *   import properties, { attach } from './modeler/properties';
 *   new Modeler({ additionalModules: [ properties ], moddleExtensions: { camunda } });
 *   const panel = attach(container, modeler, server);
 *
 * server  { check(expression, elementId, names) -> { ok, message }, preview(xml, elementId) -> HTML or a Document }; both
 *         may be promises, and each may be absent: then expressions are not looked at while typing, and no preview is
 *         offered. names: the ids of all fields as drawn now, which the stored draft may not have yet.
 * panel   { flush(), destroy() }; flush writes down what is typed and not yet left: call it before saving.
 *
 * Every edit is one command of bpmn-js, so one undo takes it back whole.
 */
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

import { patch } from './dom.js';
import { groups, heading } from './groups.js';
import { applier, processOf, standing, stood } from './drawing.js';
import { allFields } from './model.js';
import './panel.css';

const FIRST = 100_000; // of those who are told that something has changed

/** Runs several edits as one. Whatever they move in the drawing stays in its place in the file, also when undone. */
class Edit {
  execute(context) {
    context.before = standing(context.modeler);
    return [];
  }

  postExecute({ run, modeler, before }) {
    run();
    modeler.get('commandStack').execute('alur.order', { before });
  }

  revert({ before, modeler }) {
    stood(before, true);
    // Labels are drawn, and so written, once more after everything is taken back; before anybody is told of it.
    modeler.get('eventBus').once('commandStack.changed', FIRST, () => stood(before, true));
    return [];
  }
}

class Order {
  execute({ before }) {
    stood(before);
    return [];
  }

  revert() {
    return [];
  }
}

class Properties {
  static $inject = [ 'commandStack' ];

  constructor(commandStack) {
    commandStack.registerHandler('alur.properties', Edit);
    commandStack.registerHandler('alur.order', Order);
  }
}

export default { __init__: [ 'alurProperties' ], alurProperties: [ 'type', Properties ] };

export function attach(container, modeler, server) {
  return new Panel(container, modeler, server).begun();
}

class Panel {
  constructor(container, modeler, server) {
    Object.assign(this, { container, modeler, server });
    this.typing = new Map(); // id of a control -> { value, commit }: typed and not yet left
    this.refused = new Map(); // id -> { value, message }: what would not do, and why
    this.opened = new Map(); // group -> whether it is open
    this.openField = '';
    this.loose = new Set(); // ids of elements whose id may be changed
    this.chosen = new Map(); // a unit that was chosen before there is a number
    this.wish = '';
    this.make = (type, attributes, parent) => {
      const created = modeler.get('moddle').create(type, attributes);
      created.$parent = parent;
      return created;
    };
    this.apply = changes => applier(modeler)(this.element, changes);
  }

  begun() {
    const bus = this.modeler.get('eventBus');
    const changed = () => this.render();
    const selected = () => {
      this.flush();
      this.render();
    };
    const events = { 'commandStack.changed': changed, 'selection.changed': selected, 'import.done': selected,
      'root.set': selected };
    Object.entries(events).forEach(([ name, run ]) => bus.on(name, run));
    const keys = event => this.key(event);
    this.container.addEventListener('keydown', keys);
    this.container.classList.add('sifat');
    this.container.hidden = false; // without this script there is nothing to see in it
    this.spoken = document.createElement('p');
    this.spoken.className = 'unseen';
    this.spoken.setAttribute('aria-live', 'polite');
    this.body = document.createElement('div');
    this.container.replaceChildren(this.body, this.spoken);
    this.render();
    return {
      flush: () => this.flush(),
      destroy: () => {
        Object.entries(events).forEach(([ name, run ]) => bus.off(name, run));
        this.container.removeEventListener('keydown', keys);
        this.container.replaceChildren();
      },
    };
  }

  // What is looked at

  render() {
    if (this.rendering) {
      return;
    }
    this.rendering = true;
    try {
      this.rendered();
    } finally {
      this.rendering = false;
    }
  }

  rendered() {
    const before = this.focused();
    const element = this.looked();
    const other = element !== this.element;
    if (other) {
      this.openField = '';
      this.typing.clear();
      this.refused.clear();
    }
    this.element = element;
    this.holder = element && (is(element, 'bpmn:Participant') || is(element, 'bpmn:Collaboration')
      ? processOf(element) : getBusinessObject(element));
    patch(this.body, [ heading(this), ...element ? groups(this) : [] ]);
    this.refocus(before, other);
  }

  looked() {
    const selected = this.modeler.get('selection').get();
    this.several = selected.length;
    if (selected.length > 1) {
      return undefined;
    }
    const one = selected[0] ?? this.modeler.get('canvas').getRootElement();
    return one?.businessObject ? one.labelTarget ?? one : undefined;
  }

  names() {
    const process = this.element && processOf(this.element);
    return process ? [ ...new Set(allFields(process).map(({ field }) => field.get('id'))) ] : [];
  }

  id(name) {
    return `sifat-${this.element.id}-${name}`;
  }

  // Edits

  /** Changes of the model of the element, as one command. */
  change(changes) {
    this.changeOn(this.element, changes);
  }

  changeOn(element, changes) {
    if (changes.length) {
      this.edit(() => applier(this.modeler)(element, changes));
    }
  }

  /** Runs edits as one command, which one undo takes back. */
  edit(run) {
    this.modeler.get('commandStack').execute('alur.properties', { run, modeler: this.modeler });
  }

  commit(id, value, commit) {
    // A control that is taken away says "change" once more, in the middle of it; what it had is written down by then.
    if (this.rendering || !this.looked() || this.element !== this.looked()) {
      return;
    }
    this.typing.delete(id);
    const message = commit(value);
    if (message) {
      this.typing.set(id, { value, commit });
      this.refused.set(id, { value, message });
    } else if (this.refused.get(id)?.value !== value) {
      this.refused.delete(id);
    }
    this.render();
  }

  /** What the server has found of an expression while it was typed. */
  found(id, value, message) {
    if (message) {
      this.refused.set(id, { value, message });
    } else {
      this.refused.delete(id);
    }
    this.render();
  }

  problem(id, value) {
    const found = this.refused.get(id);
    return found && found.value === value ? found.message : '';
  }

  flush() {
    const alive = this.element && (this.modeler.get('elementRegistry').get(this.element.id) === this.element);
    const typed = [ ...this.typing ];
    this.typing.clear();
    for (const [ , { value, commit } ] of alive ? typed : []) {
      commit(value);
    }
  }

  // Focus

  focused() {
    const active = document.activeElement;
    if (!this.body.contains(active)) {
      return null;
    }
    const path = [];
    for (let node = active; node !== this.body; node = node.parentNode) {
      path.push(node);
    }
    return { path };
  }

  /** Keeps the focus where it was; where that is gone, near it: nobody who works with keys starts again at the top. */
  refocus(before, other) {
    const wished = this.wish && document.getElementById(this.wish);
    if (wished) {
      this.wish = '';
      wished.focus();
    } else if (before && !this.body.contains(document.activeElement)) {
      const near = other ? undefined : before.path.find(node => this.body.contains(node));
      const target = near === before.path[0] ? near
        : before.path[0].id && document.getElementById(before.path[0].id) || near?.querySelector('button:not([disabled]), input, select, textarea');
      (target ?? this.body.querySelector('h2'))?.focus();
    } else if (before && document.activeElement.disabled) {
      document.activeElement.parentNode.querySelector('button:not([disabled])')?.focus();
    }
  }

  focus(name) {
    this.wish = this.id(name);
    this.render();
  }

  /** Opens a field and goes to one of its controls. */
  show(field, control) {
    this.openField = field;
    this.focus(`${field}-${control}`);
  }

  openOnly(field) {
    this.openField = field;
    this.render();
  }

  toggle(group, open) {
    this.opened.set(group, open);
    this.render();
  }

  say(words) {
    this.spoken.textContent = words;
  }

  key(event) {
    const mod = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (mod && letter === 's') {
      this.flush(); // the page saves; what is typed is part of it
    } else if (mod && !event.altKey && (letter === 'z' || letter === 'y') && !this.typing.has(event.target.id)) {
      // A text that is being typed has its own undo; everything else is the diagram's.
      event.preventDefault();
      event.stopPropagation();
      const stack = this.modeler.get('commandStack');
      if (letter === 'y' || event.shiftKey) {
        stack.redo();
      } else {
        stack.undo();
      }
    }
  }

  // The real task page of the form as it is drawn now

  async preview() {
    this.flush();
    const { xml } = await this.modeler.saveXML({ format: true });
    const dialog = document.createElement('dialog');
    dialog.className = 'sifat-pratinjau';
    const title = document.createElement('h2');
    title.id = 'sifat-pratinjau-judul';
    title.textContent = 'Tampilan tugas'; // which one, the page says itself
    dialog.setAttribute('aria-labelledby', title.id);
    const close = document.createElement('button');
    close.type = 'button';
    close.textContent = 'Tutup';
    close.addEventListener('click', () => dialog.close());
    const words = document.createElement('p');
    words.className = 'hint';
    words.textContent = 'Contoh saja: yang diisi di sini tidak disimpan.';
    const page = document.createElement('div');
    page.className = 'sifat-contoh';
    page.textContent = 'Memuat ...';
    dialog.append(title, close, words, page);
    dialog.addEventListener('submit', event => event.preventDefault());
    dialog.addEventListener('click', event => event.target.closest('a') && event.preventDefault());
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    try {
      const said = await this.server.preview(xml, this.element.id);
      const answer = typeof said === 'string' ? new DOMParser().parseFromString(said, 'text/html') : said;
      const shown = answer.querySelector('main') ?? answer.body;
      shown.querySelectorAll('script, link, style').forEach(one => one.remove());
      page.replaceChildren(...shown.childNodes);
    } catch (problem) {
      page.textContent = `Tampilan tidak dapat dibuat. ${problem.message}`;
    }
  }
}
