/*
 * Two diagrams on which an owner says which element of the old one goes on as which of the new one.
 *
 *   <form data-map>
 *     <div data-map-pair data-begin data-pick data-chosen data-wrong data-failed>
 *       <div data-map-old data-src="/..."></div>
 *       <div data-map-new data-src="/..."></div>
 *       <p data-map-said></p>
 *     </div>
 *     <select data-map-select="ID"><option value="">..</option><option value="NEW_ID">..</option></select> ...
 *   </form>
 *
 * The select boxes hold what is chosen, and are all there is without this file; a click on the old diagram picks one of
 * them, a click on the new one its value. What has to be chosen is marked on the old diagram, what may be chosen for it
 * on the new one; a pair carries the same number on both. data-map-said tells where one stands, in the words of the
 * other data- attributes. Buttons with data-map-zoom="in", "out" or "fit" move both diagrams. When all is done, body has
 * data-ready.
 */
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { ZOOM_STEP, boxOf, centre, fitViewport, looking } from './canvas.js';
import './migration.css';


for (const form of document.querySelectorAll('form[data-map]')) {
  await map(form);
}
document.body.dataset.ready = '1';

async function map(form) {
  const pair = form.querySelector('[data-map-pair]');
  const selects = new Map([ ...form.querySelectorAll('[data-map-select]') ].map(one => [ one.dataset.mapSelect, one ]));
  if (!pair) {
    return;
  }
  const words = pair.dataset;
  const said = pair.querySelector('[data-map-said]');
  let old, fresh;
  try {
    [ old, fresh ] = await Promise.all([ open(pair, '[data-map-old]'), open(pair, '[data-map-new]') ]);
  } catch (error) {
    console.warn('diagram:', error.message);
    pair.textContent = words.failed;
    return;
  }
  let picked = null; // the id on the old diagram whose counterpart is looked for

  const draw = () => {
    clear(old);
    clear(fresh);
    let number = 0;
    for (const [ id, select ] of selects) {
      if (select.value) {
        number += 1;
        mark(old, id, 'done', number);
        mark(fresh, select.value, 'done', number);
      } else if (select.closest('details') === null) {
        mark(old, id, 'open', '?');
      }
    }
    if (picked !== null) {
      mark(old, picked, 'picked');
      for (const option of selects.get(picked).options) {
        if (option.value) {
          mark(fresh, option.value, 'may');
        }
      }
    }
  };
  const pick = id => {
    picked = id;
    said.textContent = `${words.pick} ${nameOf(selects.get(id))}`;
    draw();
    show(fresh, selects.get(id).value || nearest(old, id, fresh, selects.get(id)));
  };
  const choose = (id, value) => {
    const select = selects.get(id);
    select.value = value;
    picked = null;
    said.textContent = value
      ? `${words.chosen} ${nameOf(select)} \u2192 ${select.selectedOptions[0].text}`
      : words.begin;
    draw();
  };

  old.on('element.click', ({ element }) => {
    const id = known(element, one => selects.has(one));
    if (id) {
      pick(id);
    }
  });
  fresh.on('element.click', ({ element }) => {
    if (picked === null) {
      said.textContent = words.begin;
      return;
    }
    const values = [ ...selects.get(picked).options ].map(one => one.value).filter(Boolean);
    const id = known(element, one => values.includes(one));
    if (id) {
      choose(picked, id);
    } else {
      said.textContent = words.wrong;
    }
  });
  for (const [ id, select ] of selects) {
    select.addEventListener('change', () => choose(id, select.value));
    select.addEventListener('focus', () => show(old, id));
  }

  const zooms = {
    in: canvas => canvas.zoom(canvas.zoom() * ZOOM_STEP),
    out: canvas => canvas.zoom(canvas.zoom() / ZOOM_STEP),
  };
  for (const button of pair.querySelectorAll('[data-map-zoom]')) {
    const zoom = zooms[button.dataset.mapZoom];
    button.addEventListener('click', () => {
      for (const viewer of [ old, fresh ]) {
        zoom ? zoom(viewer.get('canvas')) : fit(viewer);
      }
    });
  }

  said.textContent = words.begin;
  fit(old);
  fit(fresh);
  draw();
  const asked = [ ...selects ].filter(([ , select ]) => select.closest('details') === null);
  show(old, (asked.find(([ , select ]) => !select.value) ?? asked[0])?.[0]);
  let width = pair.clientWidth;
  new ResizeObserver(() => {
    if (pair.clientWidth !== width) {
      width = pair.clientWidth;
      fit(old);
      fit(fresh);
    }
  }).observe(pair);
}

async function open(pair, place) {
  const container = pair.querySelector(place);
  const response = await fetch(container.dataset.src, { credentials: 'same-origin' });
  if (!response.ok) {
    throw new Error(`${container.dataset.src} answered ${response.status}`);
  }
  const viewer = new NavigatedViewer(looking(container, 'map'));
  await viewer.importXML(await response.text());
  return viewer;
}

// The element that was meant: the one clicked, whose label it is, or on whose edge it sits.
function known(element, test) {
  const ids = [ element.id, element.labelTarget?.id, element.host?.id ];
  return ids.find(id => id && test(id));
}

function nameOf(select) {
  return select.labels[0]?.textContent ?? select.dataset.mapSelect;
}

function clear(viewer) {
  const canvas = viewer.get('canvas');
  viewer.get('overlays').remove({ type: 'map' });
  for (const element of viewer.get('elementRegistry').getAll()) {
    for (const state of [ 'open', 'done', 'picked', 'may' ]) {
      canvas.removeMarker(element, `map-${state}`);
    }
  }
}

function mark(viewer, id, state, text) {
  const element = viewer.get('elementRegistry').get(id);
  if (!element) {
    return; // not drawn: the list has it
  }
  viewer.get('canvas').addMarker(element, `map-${state}`);
  if (text !== undefined && !element.waypoints) {
    const badge = document.createElement('span');
    badge.className = `map-badge map-badge-${state}`;
    badge.textContent = text;
    viewer.get('overlays').add(element, 'map', { position: { top: -12, right: 16 }, html: badge });
  }
}

// What may be chosen and is drawn where the old one was: most versions look like the one before.
function nearest(old, id, fresh, select) {
  const from = old.get('elementRegistry').get(id);
  const far = one => Math.hypot((one.x ?? one.waypoints[0].x) - (from.x ?? from.waypoints[0].x),
    (one.y ?? one.waypoints[0].y) - (from.y ?? from.waypoints[0].y));
  const known = [ ...select.options ].map(one => fresh.get('elementRegistry').get(one.value)).filter(Boolean);
  return from && known.sort((a, b) => far(a) - far(b))[0]?.id;
}

// Nearer to an element, where it can be read; nothing where it is not drawn.
function show(viewer, id) {
  const element = id && viewer.get('elementRegistry').get(id);
  if (!element) {
    return;
  }
  centre(viewer.get('canvas'), boxOf(element));
}

function fit(viewer) {
  viewer.get('canvas').resized();
  fitViewport(viewer.get('canvas'));
}
