/*
 * Two diagrams over or beside each other, or in one place by turns, with what changed between them marked on both.
 *
 *   <div data-compare>
 *     <div data-diagram="before" data-src="/..." data-failed="..." data-marks='[{"id", "status", "word", "label"}]'></div>
 *     <div data-diagram="after" ...></div>
 *   </div>
 *
 * data-marks   status added, removed, changed or moved; `word` stands on the mark beside its shape, `label` explains it.
 *              An id that is not in a diagram is left out.
 * data-failed  the sentence shown where a diagram cannot be loaded. The list of changes says the same.
 *
 * Buttons, hidden until the diagrams are there: data-compare-way="over", "beside" or "turns", data-compare-turn (shows the other
 * one), data-compare-zoom="in", "out" or "fit". A link with data-show="ID" shows that element in both. Both diagrams
 * move together. When all is done, body has data-ready.
 */
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { ZOOM_STEP, boxOf, centre, fitViewport, heightOf, looking } from './canvas.js';
import './compare.css';

const STATUSES = new Set([ 'added', 'removed', 'changed', 'moved' ]);
const BADGES = { min: 0.6, max: 1 }; // the scales at which badges are drawn, whatever that of the diagram

for (const root of document.querySelectorAll('[data-compare]')) {
  await compare(root);
}
document.body.dataset.ready = '1';

async function compare(root) {
  const holders = [ ...root.querySelectorAll('[data-diagram]') ];
  const viewers = (await Promise.all(holders.map(open))).filter(Boolean);
  if (!viewers.length) {
    return;
  }
  together(viewers);
  steer(root, viewers);
}

async function open(holder) {
  try {
    const response = await fetch(holder.dataset.src, { credentials: 'same-origin' });
    if (!response.ok) {
      throw new Error(`${holder.dataset.src} answered ${response.status}`);
    }
    const viewer = new NavigatedViewer(looking(holder, 'compare'));
    await viewer.importXML(await response.text());
    mark(viewer, JSON.parse(holder.dataset.marks || '[]'));
    return viewer;
  } catch (error) {
    console.warn('diagram:', error.message);
    holder.textContent = holder.dataset.failed ?? '';
    holder.classList.add('diagram-failed');
    return null;
  }
}

function mark(viewer, marks) {
  const canvas = viewer.get('canvas');
  const elements = viewer.get('elementRegistry');
  const overlays = viewer.get('overlays');
  for (const { id, status, word, label } of marks) {
    const element = elements.get(id);
    if (!element || element === canvas.getRootElement() || !STATUSES.has(status)) {
      continue; // an element that is not drawn cannot be marked
    }
    canvas.addMarker(element, `ch-${status}`);
    if (element.waypoints) {
      if (status !== 'moved') { // an arrow follows what it hangs on: its own line says enough
        overlays.add(element, 'change', { scale: BADGES, position: middle(element), html: badge(status, word, label) });
      }
    } else {
      overlays.add(element, 'change', { scale: BADGES, position: { top: -14, left: 4 }, html: badge(status, word, label) });
    }
  }
}

function middle({ waypoints }) {
  const { x, y } = waypoints[Math.floor((waypoints.length - 1) / 2)];
  const next = waypoints[Math.floor((waypoints.length - 1) / 2) + 1] ?? { x, y };
  const left = Math.min(...waypoints.map(one => one.x));
  const top = Math.min(...waypoints.map(one => one.y));
  return { left: (x + next.x) / 2 - left - 12, top: (y + next.y) / 2 - top - 12 };
}

// Made of nodes and never of HTML text: labels come from people.
function badge(status, word, label) {
  const node = document.createElement('span');
  node.className = `change-badge change-badge-${status}`;
  node.textContent = word ?? '';
  node.title = label ?? '';
  return node;
}

// Who moves one diagram moves the other.
function together(viewers) {
  let following = false;
  for (const viewer of viewers) {
    viewer.on('canvas.viewbox.changed', ({ viewbox }) => {
      if (following) {
        return;
      }
      following = true;
      for (const other of viewers) {
        if (other !== viewer && visible(other)) {
          const canvas = other.get('canvas');
          const { outer } = canvas.viewbox();
          const width = outer.width / viewbox.scale;
          const height = outer.height / viewbox.scale;
          canvas.viewbox({ x: viewbox.x, y: viewbox.y, width, height });
        }
      }
      following = false;
    });
  }
}

function visible(viewer) {
  return viewer.get('canvas').getContainer().clientWidth > 0;
}

function steer(root, viewers) {
  const fit = () => {
    const seen = viewers.filter(visible);
    if (seen.length) {
      asHighAsNeeded(root, seen);
      fitBoth(seen);
    }
  };
  const zoom = factor => {
    const canvas = viewers.find(visible)?.get('canvas');
    canvas?.zoom(canvas.zoom() * factor);
  };
  const moves = { in: () => zoom(ZOOM_STEP), out: () => zoom(1 / ZOOM_STEP), fit };
  for (const button of document.querySelectorAll('button[data-compare-zoom]')) {
    button.hidden = false;
    button.addEventListener('click', moves[button.dataset.compareZoom]);
  }

  const turn = document.querySelector('button[data-compare-turn]');
  const ways = [ ...document.querySelectorAll('button[data-compare-way]') ];
  const go = way => {
    root.dataset.way = way;
    for (const button of ways) {
      button.setAttribute('aria-pressed', String(button.dataset.compareWay === way));
    }
    if (turn) {
      turn.hidden = way !== 'turns';
    }
    fit();
  };
  for (const button of ways) {
    button.hidden = viewers.length < 2;
    button.addEventListener('click', () => go(button.dataset.compareWay));
  }
  turn?.addEventListener('click', () => {
    const { x, y, width, height } = viewers.find(visible).get('canvas').viewbox();
    root.dataset.shown = root.dataset.shown === 'before' ? 'after' : 'before';
    const canvas = viewers.find(visible)?.get('canvas');
    canvas?.resized();
    canvas?.viewbox({ x, y, width, height });
  });
  root.dataset.shown = 'after';
  go(ways.length && window.innerWidth < 640 ? 'turns' : 'over'); // an SOP is wide and low

  for (const link of document.querySelectorAll('a[data-show]')) {
    link.addEventListener('click', () => show(viewers, link.dataset.show));
  }
  let width = root.clientWidth;
  new ResizeObserver(() => {
    if (root.clientWidth !== width) {
      width = root.clientWidth;
      fit();
    }
  }).observe(root);
}

// The diagram that has the element is moved to it; the other one follows.
function show(viewers, id) {
  const order = [ ...viewers.filter(visible) ].reverse();
  const viewer = order.find(one => one.get('elementRegistry').get(id));
  if (!viewer) {
    return;
  }
  centre(viewer.get('canvas'), boxOf(viewer.get('elementRegistry').get(id)));
}

// What both show together: { inner, outer }, as of one viewbox.
function bounds(viewers) {
  const boxes = viewers.map(one => one.get('canvas').viewbox());
  const x = Math.min(...boxes.map(({ inner }) => inner.x));
  const y = Math.min(...boxes.map(({ inner }) => inner.y));
  const right = Math.max(...boxes.map(({ inner }) => inner.x + inner.width));
  const bottom = Math.max(...boxes.map(({ inner }) => inner.y + inner.height));
  return { inner: { x, y, width: right - x, height: bottom - y }, outer: boxes[0].outer };
}

// As high as the diagrams are at this width; the style sheet says at most how high.
function asHighAsNeeded(root, viewers) {
  const across = viewers[0].get('canvas').getContainer().clientWidth;
  root.style.setProperty('--compare-height', heightOf(bounds(viewers).inner, across));
  for (const viewer of viewers) {
    viewer.get('canvas').resized();
  }
}

// The same view of both, wide enough for what both show together.
function fitBoth(viewers) {
  fitViewport(viewers[0].get('canvas'), bounds(viewers));
}
