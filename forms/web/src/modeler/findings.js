/*
 * The findings, as a list and as badges on the canvas: what the server's gate says of the diagram as it stands (the same
 * that deployment decides by), and bpmnlint's rules as suggestions. Asked for when the drawing rests; an answer to an
 * older drawing is thrown away.
 */
import { advice } from './lint.js';

const REST = 700; // ms without a change before anybody is asked
const LEVELS = {
  error: { word: 'Kesalahan', shape: '■', rank: 0 },
  warning: { word: 'Perhatian', shape: '▲', rank: 1 },
  advice: { word: 'Saran', shape: '○', rank: 2 },
};
const BADGE = 'finding';

export function watchFindings({ modeler, server, list, show }) {
  const elements = modeler.get('elementRegistry');
  const overlays = modeler.get('overlays');
  const summary = make('p', 'findings-summary');
  const rows = make('ul', 'findings-list');
  let gate = [];
  let style = [];
  let asking = null;
  let timer = null;
  let round = 0;
  list.append(summary, rows);
  summary.setAttribute('role', 'status');

  function later() {
    clearTimeout(timer);
    timer = setTimeout(now, REST);
  }

  async function now() {
    clearTimeout(timer);
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const mine = ++round;
    list.dataset.asking = '1';
    let unanswered = '';
    try {
      const { xml } = await modeler.saveXML({ format: true });
      const found = await Promise.all([ server.findings(xml, signal), advice(modeler.getDefinitions()) ]);
      if (mine !== round) {
        return;
      }
      [ gate, style ] = found;
    } catch (error) {
      if (error.name === 'AbortError' || mine !== round) {
        return;
      }
      unanswered = 'Belum diperiksa: server tidak terjangkau. Diperiksa lagi saat tersambung.';
    }
    draw(unanswered);
    delete list.dataset.asking;
  }

  function draw(unanswered) {
    // What the gate says of an element is not said again as a suggestion.
    const said = new Set(gate.map(one => one.element));
    const all = [ ...gate, ...style.filter(one => !said.has(one.element)) ]
      .sort((a, b) => LEVELS[a.severity].rank - LEVELS[b.severity].rank);
    summary.textContent = unanswered || counted(all);
    rows.replaceChildren(...all.map(row));
    badges(all);
  }

  function row(one) {
    const { word, shape } = LEVELS[one.severity];
    const shape_ = shapeOf(one.element);
    const button = make('button', 'finding-row');
    button.type = 'button';
    const mark = make('span', `mark finding-${one.severity}`);
    const sign = make('span', '', shape);
    sign.setAttribute('aria-hidden', 'true');
    mark.append(sign, make('span', '', word));
    button.append(mark, make('span', 'finding-name', nameOf(shape_, one.element)), make('span', 'finding-said', one.message));
    button.disabled = !shape_;
    button.addEventListener('click', () => show(shape_));
    const item = make('li');
    item.append(button);
    return item;
  }

  function badges(all) {
    overlays.remove({ type: BADGE });
    const byShape = new Map();
    for (const one of all) {
      const shape = shapeOf(one.element);
      if (shape && shape.parent) {
        byShape.set(shape, [ ...(byShape.get(shape) ?? []), one ]);
      }
    }
    for (const [ shape, found ] of byShape) {
      overlays.add(shape, BADGE, { position: placeOf(shape), html: badge(shape, found), scale: { min: 0.75, max: 1.2 } });
    }
  }

  // Nodes and textContent, never HTML: the words are the diagram's own.
  function badge(shape, found) {
    const { word, shape: sign } = LEVELS[found[0].severity];
    const node = make('button', `finding-badge finding-${found[0].severity}`, `${sign} ${found.length}`);
    node.type = 'button';
    node.title = found.map(one => `${LEVELS[one.severity].word}: ${one.message}`).join('\n');
    node.setAttribute('aria-label', `${word}, ${found.length} temuan pada ${nameOf(shape, shape.id)}`);
    node.addEventListener('click', event => {
      event.stopPropagation();
      show(shape);
    });
    return node;
  }

  /* The shape of an element on the canvas; what has none of its own is shown on the process or its pool. */
  function shapeOf(id) {
    if (!id) {
      return null;
    }
    const found = elements.get(id);
    return found ?? elements.find(one => one.type === 'bpmn:Participant' && one.businessObject.processRef?.id === id)
      ?? elements.find(one => one.di?.id === id) ?? null;
  }

  return { later, now };
}

function placeOf(shape) {
  if (!shape.waypoints) {
    return { top: -20, left: -12 };
  }
  const middle = shape.waypoints[Math.floor((shape.waypoints.length - 1) / 2)];
  const left = Math.min(...shape.waypoints.map(one => one.x));
  const top = Math.min(...shape.waypoints.map(one => one.y));
  return { left: middle.x - left + 8, top: middle.y - top - 24 };
}

function nameOf(shape, id) {
  return shape?.businessObject?.name?.replace(/\s+/g, ' ').trim() || id || 'Diagram';
}

function counted(all) {
  if (!all.length) {
    return 'Tidak ada temuan.';
  }
  return Object.entries(LEVELS)
    .map(([ severity, { word } ]) => [ all.filter(one => one.severity === severity).length, word.toLowerCase() ])
    .filter(([ count ]) => count).map(([ count, word ]) => `${count} ${word}`).join(', ') + '.';
}

export function make(name, className = '', text = '') {
  const node = document.createElement(name);
  if (className) {
    node.className = className;
  }
  node.textContent = text;
  return node;
}
