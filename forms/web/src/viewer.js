/*
 * Shows a diagram with where an instance stands.
 *
 *   <div id="diagram" data-src="/..." data-failed="..." data-state='[{"id", "status", "label", "n"}]'></div>
 *
 * data-src     where the BPMN XML is, on this server.
 * data-state   what to mark: status active, done, late, returned or stopped, or heat-1 to heat-5 of a heat map (heat-0: too little
 *              is known); n (may be absent) is written on the badge, label is
 *              its explanation. An id that is not in the diagram is left out: the instance may be older than the drawing.
 * data-failed  the sentence shown when the diagram cannot be loaded. The table of steps beside it says the same facts.
 *
 * An event "diagram:reload" on the div reads data-src again, and leaves the view where its reader has moved it.
 * A button with data-diagram-zoom="in", "out", "fit" or "active" (to where the instance stands), hidden until the
 * diagram is there, moves the view. With class "small" the view begins there: "you are here".
 * When all is done, body has data-ready.
 */
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { ZOOM_STEP, centre, fitViewport, heightOf, looking } from './canvas.js';
import './viewer.css';

const HEAT = [ 'heat-0', 'heat-1', 'heat-2', 'heat-3', 'heat-4', 'heat-5' ];
const HERE = [ 'stopped', 'active', 'late', 'returned' ]; // where the instance stands
const STATUSES = new Set([ 'done', ...HERE, ...HEAT ]);

const container = document.getElementById('diagram');
if (container) {
  try {
    await show(container);
  } catch (error) {
    console.warn('diagram:', error.message);
    container.dataset.state = '[]';
    container.textContent = container.dataset.failed ?? '';
    container.classList.add('diagram-failed');
  }
}
document.body.dataset.ready = '1';

async function show(container) {
  const response = await fetch(container.dataset.src, { credentials: 'same-origin' });
  if (!response.ok) {
    throw new Error(`${container.dataset.src} answered ${response.status}`);
  }
  const viewer = new NavigatedViewer(looking(container));
  await viewer.importXML(await response.text());
  mark(viewer, JSON.parse(container.dataset.state || '[]'));
  navigate(viewer, container);
  container.addEventListener('diagram:reload', () => again(viewer, container));
}

async function again(viewer, container) {
  const response = await fetch(container.dataset.src, { credentials: 'same-origin' });
  if (!response.ok) {
    return; // what is shown stays
  }
  const canvas = viewer.get('canvas');
  const { x, y, width, height } = canvas.viewbox();
  await viewer.importXML(await response.text());
  canvas.viewbox({ x, y, width, height });
  mark(viewer, JSON.parse(container.dataset.state || '[]'));
}

function mark(viewer, states) {
  const canvas = viewer.get('canvas');
  const elements = viewer.get('elementRegistry');
  const overlays = viewer.get('overlays');
  for (const { id, status, label, n } of states) {
    const element = elements.get(id);
    if (!element || !STATUSES.has(status)) {
      continue; // canvas.addMarker would throw, and one unknown id would cost the whole page
    }
    canvas.addMarker(element, `st-${status}`);
    if (!element.waypoints) {
      overlays.add(element, 'status', { position: { top: -12, right: 16 }, html: badge(status, label, n) });
    }
  }
}

// Made of nodes and never of HTML text: labels come from people.
function badge(status, label, n) {
  const node = document.createElement('span');
  node.className = `diagram-badge diagram-badge-${status}`;
  node.textContent = n ?? '';
  node.title = label ?? '';
  return node;
}

function navigate(viewer, container) {
  const canvas = viewer.get('canvas');
  const elements = viewer.get('elementRegistry');
  const active = HERE.map(status => elements.find(e => canvas.hasMarker(e, `st-${status}`))).find(Boolean);
  const fit = () => fitViewport(canvas);
  const toActive = () => (active ? centre(canvas, active) : fit());
  const begin = container.classList.contains('small') ? toActive : fit;
  const moves = {
    in: () => canvas.zoom(canvas.zoom() * ZOOM_STEP),
    out: () => canvas.zoom(canvas.zoom() / ZOOM_STEP),
    fit,
    active: toActive,
  };

  let moved = false;
  for (const button of document.querySelectorAll('button[data-diagram-zoom]')) {
    const move = moves[button.dataset.diagramZoom];
    if (move) {
      button.hidden = false;
      button.addEventListener('click', () => {
        moved = move !== begin;
        move();
      });
    }
  }

  // As high as the diagram is at this width; the style sheet says at most how high.
  const { inner, outer } = canvas.viewbox();
  container.style.setProperty('--diagram-height', heightOf(inner, outer.width));
  canvas.resized();
  begin();
  // A phone that is turned gets the first view again, unless its owner had gone somewhere else.
  new ResizeObserver(() => {
    canvas.resized();
    if (!moved) {
      begin();
    }
  }).observe(canvas.getContainer());
}
