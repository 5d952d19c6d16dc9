/*
 * The canvas of the Perancang: bpmn-js with what an owner needs, in Indonesian, under a content policy without
 * exceptions. The page gives <div id="perancang" data-page='{...}'>, see forms/modeler.py; in it #kanvas, #properti,
 * #temuan and the buttons with data-do. When the diagram is there, body has data-ready.
 */
import './modeler/csp.js';

import Modeler from 'bpmn-js/lib/Modeler';
import ColorPickerModule from 'bpmn-js-color-picker';
import { CreateAppendAnythingModule } from 'bpmn-js-create-append-anything';
import TokenSimulationModule from 'bpmn-js-token-simulation';
import camunda from 'camunda-bpmn-moddle/resources/camunda.json';
import MinimapModule from 'diagram-js-minimap';

import { MARK, OpenModule, ZOOM_STEP, boxOf, centre } from './canvas.js';
import TranslateModule, { untranslated } from './modeler/id.js';
import InnerLanesModule from './modeler/lanes.js';
import OfficeModule from './modeler/office.js';
import { watchFindings } from './modeler/findings.js';
import KeepOrderModule from './modeler/order.js';
import OnlyLookModule, { onlyRead } from './modeler/only_look.js';
import PropertiesModule, { attach } from './modeler/properties/index.js';
import { keepSaved } from './modeler/saving.js';
import { connect } from './modeler/server.js';
import { openShelf } from './modeler/shelf.js';

import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import 'bpmn-js-color-picker/colors/color-picker.css';
import 'bpmn-js-token-simulation/assets/css/bpmn-js-token-simulation.css';
import 'diagram-js-minimap/assets/diagram-js-minimap.css';
import './modeler.css';

const MARGIN = 24; // px around a fitted diagram

const root = document.getElementById('perancang');
if (root) {
  await draw(root, JSON.parse(root.dataset.page));
}
document.body.dataset.ready = '1';

async function draw(root, page) {
  const part = id => document.getElementById(id);
  page.older = page.urls.isi.includes('simpanan=');
  const modeler = new Modeler({
    container: part('kanvas'),
    moddleExtensions: { camunda },
    additionalModules: [
      TranslateModule, CreateAppendAnythingModule, ColorPickerModule, TokenSimulationModule, MinimapModule, OfficeModule,
      InnerLanesModule, KeepOrderModule, OpenModule, PropertiesModule, ...(page.readonly ? [ OnlyLookModule ] : []),
    ],
    ...(page.readonly && { keyboard: { bind: false } }),
    // Ink and paper come from the style sheet. Labels take the ink of their shape, so that they can be read on a colour.
    bpmnRenderer: { defaultFillColor: 'var(--diagram-paper)', defaultStrokeColor: 'var(--diagram-ink)' },
  });
  const server = connect(page);
  const panel = attach(part('properti'), modeler, server);
  part('properti').hidden = false;
  if (page.readonly) {
    root.classList.add('readonly');
    onlyRead(part('properti'));
  }
  const show = element => chosen(modeler, element);
  const findings = watchFindings({ modeler, server, list: part('temuan'), show });
  const saving = keepSaved({
    modeler,
    server,
    page,
    shelf: openShelf(`${page.person}/${page.id}`),
    places: {
      state: part('tersimpan'),
      here: part('hadir'),
      notices: part('perancang-kabar'),
      saved: answer => {
        part('rancangan-tersimpan').textContent = `disimpan ${answer.saved_at} oleh ${answer.saved_by}`;
        if (answer.against) part('rancangan-terhadap').textContent = answer.against;
      },
    },
    flush: () => panel.flush(),
    changedOutside: () => {
      fit(modeler);
      findings.now();
    },
  });
  window.perancang = { modeler, server, untranslated }; // for whoever looks from the console, and for the tests
  steer(root, modeler);
  if (window.matchMedia('(max-width: 63.99rem)').matches) {
    modeler.get('palette').close(); // a phone is for looking first; a tap opens it
    part('kanvas').querySelector('.djs-palette-toggle').title = 'Alat gambar';
  }
  if (await saving.begin()) {
    modeler.on('commandStack.changed', ({ trigger }) => trigger !== 'clear' && findings.later());
    window.addEventListener('online', findings.now);
    choose(modeler, page.select, show);
    new ResizeObserver(() => modeler.get('canvas').resized()).observe(part('kanvas'));
  }
}

function steer(root, modeler) {
  const canvas = modeler.get('canvas');
  const commandStack = modeler.get('commandStack');
  const editorActions = modeler.get('editorActions');
  const zoom = factor => canvas.zoom(canvas.zoom() * factor);
  const button = name => root.querySelector(`[data-do="${name}"]`);
  const acts = {
    undo: () => commandStack.undo(),
    redo: () => commandStack.redo(),
    find: () => setTimeout(() => editorActions.trigger('find')), // this very click would close it again
    fit: () => fit(modeler),
    in: () => zoom(ZOOM_STEP),
    out: () => zoom(1 / ZOOM_STEP),
    simulate: () => editorActions.trigger('toggleTokenSimulation'),
  };
  for (const [ name, act ] of Object.entries(acts)) {
    button(name).addEventListener('click', act);
  }
  modeler.on('commandStack.changed', () => {
    button('undo').disabled = !commandStack.canUndo();
    button('redo').disabled = !commandStack.canRedo();
  });
  modeler.on('tokenSimulation.toggleMode', ({ active }) => {
    root.classList.toggle('simulating', active);
    button('simulate').setAttribute('aria-pressed', String(active));
    button('simulate').textContent = active ? 'Selesai mencoba' : 'Coba jalankan';
    for (const name of [ 'undo', 'redo', 'find' ]) {
      button(name).hidden = active;
    }
    const start = active && modeler.get('elementRegistry').find(one => one.type === 'bpmn:StartEvent' && !one.labelTarget
      && one.businessObject.$parent.$type === 'bpmn:Process');
    if (start) {
      chosen(modeler, start); // what runs it is only drawn where it can be read
    }
  });
}

function choose(modeler, id, show) {
  const element = id && modeler.get('elementRegistry').get(id);
  if (element) {
    show(element);
  }
}

/* Selects an element and brings it to the middle, at a scale at which it can be read. */
function chosen(modeler, element) {
  const canvas = modeler.get('canvas');
  if (element.parent) {
    modeler.get('selection').select(element);
    centre(canvas, boxOf(element));
  } else {
    modeler.get('selection').select([]);
    fit(modeler);
  }
  canvas.getContainer().scrollIntoView({ block: 'nearest' });
}

function fit(modeler) {
  const canvas = modeler.get('canvas');
  const { inner, outer } = canvas.viewbox();
  const palette = canvas.getContainer().querySelector('.djs-palette');
  const left = palette?.offsetWidth ? palette.offsetLeft + palette.offsetWidth + MARGIN / 2 : MARGIN;
  const wide = outer.width - left - MARGIN;
  const scale = Math.min(1, wide / inner.width, (outer.height - MARGIN - MARK) / inner.height);
  if (!(scale > 0) || !Number.isFinite(scale)) {
    return; // nothing is drawn yet, or the canvas has no room
  }
  canvas.viewbox({
    x: inner.x - (left + (wide - inner.width * scale) / 2) / scale,
    y: inner.y - MARGIN / scale,
    width: outer.width / scale,
    height: outer.height / scale,
  });
}
