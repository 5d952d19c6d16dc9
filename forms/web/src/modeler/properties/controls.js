/*
 * The controls of the panel: each with its label, hint and error, linked for who listens to the page.
 * `it` is the panel as it looks at one element (index.js); `name` names a control within it.
 */
import { h } from './dom.js';
import { listed } from './model.js';

const TYPING_PAUSE = 400; // milliseconds after which an expression is looked at

/** A text. `commit(value)` may answer why the value will not do; `wrong(value)` says what is wrong with a kept one. */
export function text(it, { name, label, value, hint, lines = 0, commit, wrong, suggestions, readonly, number, feel, about, names }) {
  const id = it.id(name);
  const typed = it.typing.get(id)?.value ?? value;
  const problem = it.problem(id, typed) || wrong?.(typed) || '';
  const props = {
    key: 'input', id, value: value ?? '', ...described(id, hint, problem), readonly, spellcheck: feel ? 'false' : undefined,
    class: feel ? 'sifat-ungkapan' : undefined, inputmode: number ? 'numeric' : undefined, autocomplete: 'off',
    list: suggestions?.length ? `${id}-saran` : undefined,
    oninput: event => {
      it.typing.set(id, { value: event.target.value, commit });
      if (feel) {
        check(it, id, event.target, about, names);
      }
    },
    onchange: event => it.commit(id, event.target.value, commit),
  };
  return control(id, label, hint, problem, [
    lines ? h('textarea', { ...props, rows: String(lines) }) : h('input', { ...props, type: 'text' }),
    suggestions?.length ? h('datalist', { key: 'saran', id: `${id}-saran` },
      suggestions.map(one => h('option', { key: one, value: one }))) : null,
  ]);
}

/**
 * An expression, without its "="; the server looks at it while it is typed. `about`: the element that it
 * is of; `names`: what it may name besides the fields.
 */
export function feel(it, { hint = 'Ungkapan FEEL tanpa tanda sama dengan di depan.', ...rest }) {
  return text(it, { lines: 2, hint, ...rest, feel: true });
}

const waiting = new Map();

function check(it, id, input, about = it.element.id, names = []) {
  clearTimeout(waiting.get(id));
  waiting.set(id, setTimeout(async () => {
    const said = input.value;
    const plain = said.trim().replace(/^=/, '').trim();
    let message = '';
    if (plain && it.server?.check) {
      try {
        const answer = await it.server.check(plain, about, [ ...it.names(), ...names ]);
        message = answer && !answer.ok ? answer.message || 'Ungkapan ini tidak dapat dibaca.' : '';
      } catch {
        return; // without a line nothing is known of it; the findings will say so later
      }
    }
    it.found(id, said, message);
  }, TYPING_PAUSE));
}

export function tick(it, { name, label, value, hint, commit }) {
  const id = it.id(name);
  const problem = it.problem(id, value);
  return h('div', { key: id, class: 'sifat-kendali' },
    h('label', { key: 'label', class: 'tick', for: id },
      h('input', {
        key: 'input', id, type: 'checkbox', checked: value, ...described(id, hint, problem),
        onchange: event => it.commit(id, event.target.checked, commit),
      }), h('span', {}, label)),
    under(id, hint, problem));
}

/** One of some, as [value, label] pairs; a value that is none of them is kept and shown as it is. */
export function oneOf(it, { name, label, value, options, hint, commit, wrong }) {
  const id = it.id(name);
  const problem = it.problem(id, value) || wrong?.(value) || '';
  const known = options.some(([ one ]) => one === value);
  return control(id, label, hint, problem, [
    h('select', {
      key: 'input', id, value, ...described(id, hint, problem), onchange: event => it.commit(id, event.target.value, commit),
    }, (known ? options : [ ...options, [ value, `${value} (tidak dikenal)` ] ])
      .map(([ one, said ]) => h('option', { key: `=${one}`, value: one }, said))),
  ]);
}

/** Some of many, kept as ids in a text; what is none of the options stays, and is shown. */
export function someOf(it, { name, label, value, options, hint, commit }) {
  const id = it.id(name);
  const chosen = listed(value);
  const others = chosen.filter(one => !options.some(([ known ]) => known === one));
  const all = [ ...options, ...others.map(one => [ one, `${one} (tidak dikenal)` ]) ];
  const put = (one, on) => (on ? [ ...chosen, one ] : chosen.filter(other => other !== one)).join(' ');
  return h('fieldset', { key: id, id, class: 'sifat-kendali', 'aria-describedby': hint ? `${id}-petunjuk` : undefined },
    h('legend', {}, label),
    hint ? h('p', { key: 'petunjuk', id: `${id}-petunjuk`, class: 'hint' }, hint) : null,
    all.length ? null : h('p', { key: 'kosong', class: 'hint' }, 'Belum ada yang dapat dipilih.'),
    all.map(([ one, said ]) => h('label', { key: `=${one}`, class: 'tick', for: `${id}-${one}` },
      h('input', {
        key: 'input', id: `${id}-${one}`, type: 'checkbox', checked: chosen.includes(one),
        onchange: event => it.commit(id, put(one, event.target.checked), commit),
      }), h('span', {}, said))));
}

/** A group that opens and closes; it stays as it was when another element is looked at. */
export function group(it, name, title, children, open = true, level = 'h3') {
  const id = it.id(`kelompok-${name}`);
  const isOpen = it.opened.get(name) ?? open;
  return h('section', { key: `kelompok-${name}`, class: 'sifat-kelompok' },
    h(level, { key: 'judul' }, h('button', {
      key: 'tombol', id, type: 'button', class: 'sifat-judul', 'aria-expanded': String(isOpen),
      'aria-controls': isOpen ? `${id}-isi` : undefined, onclick: () => it.toggle(name, !isOpen),
    }, title)),
    isOpen ? h('div', { key: 'isi', id: `${id}-isi`, class: 'sifat-isi' }, children()) : null);
}

export function button(it, name, label, run, more = {}) {
  return h('button', { key: name, id: it.id(name), type: 'button', onclick: run, ...more }, label);
}

/** Up, down and, where it stands here, away: for one line of a list. */
export function arrows(it, name, said, at, count, { move, remove }) {
  return h('span', { key: 'urutan', class: 'sifat-urutan' },
    button(it, `${name}-naik`, '↑', () => move(-1), { 'aria-label': `Naikkan ${said}`, disabled: at === 0 }),
    button(it, `${name}-turun`, '↓', () => move(1), { 'aria-label': `Turunkan ${said}`, disabled: at === count - 1 }),
    remove ? button(it, `${name}-hapus`, 'Hapus', remove, { 'aria-label': `Hapus ${said}` }) : null);
}

export function note(key, words, kind = 'hint') {
  return h('p', { key, class: kind }, words);
}

function control(id, label, hint, problem, inside) {
  return h('div', { key: id, class: problem ? 'sifat-kendali wrong' : 'sifat-kendali' },
    h('label', { key: 'label', for: id }, label), under(id, hint, problem), inside);
}

function under(id, hint, problem) {
  return [
    hint ? h('p', { key: 'petunjuk', id: `${id}-petunjuk`, class: 'hint' }, hint) : null,
    problem ? h('p', { key: 'galat', id: `${id}-galat`, class: 'error' }, problem) : null,
  ];
}

function described(id, hint, problem) {
  const ids = [ hint && `${id}-petunjuk`, problem && `${id}-galat` ].filter(Boolean).join(' ');
  return { 'aria-describedby': ids || undefined, 'aria-invalid': problem ? 'true' : undefined };
}
