/*
 * Plays a process instance again on its diagram, moment by moment.
 *
 *   <section data-player data-src="/..." data-panel="/.../0" data-at="12" data-failed="..." data-playing="..."
 *            data-paused="...">
 *     <div id="diagram"></div>
 *     <div class="player-bar" hidden> buttons with data-do, a range, .player-marks, .player-said </div>
 *     <aside class="player-panel"></aside>
 *   </section>
 *
 * data-src    the moments: {"moments": [{n, at, text, marks: [{look, shape, word}], diagram, active, late, returned,
 *             done: [ids], moves: [flow ids]}]}.
 * data-panel  address of what stands beside one moment, with 0 for its number: a part of a page, made by the server.
 * data-at     the moment to begin with. The address always names the one that is shown (?saat=12), so it can be sent.
 *
 * Keys, while the player has the focus: left and right a moment, Home and End, space plays and stops. Tokens move along
 * the flows that were taken; who asked for less motion sees them arrive. When all is done, body has data-ready.
 */
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import { fitViewport, heightOf, looking } from './canvas.js';
import { trusted } from './trusted.js';
import './viewer.css';
import './replay.css';

const SVG = 'http://www.w3.org/2000/svg';
const STATUSES = [ 'active', 'late', 'returned', 'done' ];
const WAY = 260; // ms in which a token goes along one flow
const MOST_WAYS = 12; // flows of one moment that are shown moving

const calm = matchMedia('(prefers-reduced-motion: reduce)');
async function play(root) {
  const { moments } = await (await got(root.dataset.src)).json();
  const stage = new Stage(root.querySelector('#diagram'));
  const bar = root.querySelector('.player-bar');
  const line = bar.querySelector('input[type=range]');
  const said = bar.querySelector('.player-said');
  const button = bar.querySelector('[data-do=play]');
  const panel = root.querySelector('.player-panel');
  let at = Math.min(Math.max(Number(root.dataset.at) || moments.length, 1), moments.length);
  let timer = null;
  let asked = 0;

  async function show(n, moving) {
    at = Math.min(Math.max(n, 1), moments.length);
    const moment = moments[at - 1];
    line.value = at;
    line.setAttribute('aria-valuetext', `${moment.n}: ${moment.at}`);
    said.textContent = `${moment.n} · ${moment.at}. ${moment.text}`;
    for (const link of document.querySelectorAll('tr.here')) {
      link.classList.remove('here');
    }
    document.querySelector(`.moments a[data-moment="${moment.n}"]`)?.closest('tr').classList.add('here');
    const address = new URL(location.href);
    address.searchParams.set('saat', moment.n);
    history.replaceState(null, '', address);
    beside(moment.n);
    await stage.show(moment, moving && !calm.matches);
  }

  // What stands beside a moment is asked for when it is looked at, and only the newest answer counts.
  async function beside(n) {
    const mine = ++asked;
    await new Promise(done => setTimeout(done, 120));
    if (mine !== asked) {
      return;
    }
    try {
      const text = await (await got(root.dataset.panel.replace(/0$/, n))).text();
      if (mine === asked) {
        panel.replaceChildren(...new DOMParser().parseFromString(trusted('alur', text), 'text/html').body.childNodes);
      }
    } catch (error) {
      console.warn('replay:', error.message);
    }
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    button.textContent = root.dataset.paused;
  }

  function start() {
    button.textContent = root.dataset.playing;
    if (at === moments.length) {
      show(1, false);
    }
    const step = async () => {
      await show(at + 1, true);
      if (timer !== null && at < moments.length) {
        timer = setTimeout(step, Number(bar.querySelector('[data-do=speed]').value));
      } else {
        stop();
      }
    };
    timer = setTimeout(step, 300);
  }

  const acts = {
    first: () => show(1, false),
    back: () => show(at - 1, false),
    on: () => show(at + 1, true),
    last: () => show(moments.length, false),
    play: () => (timer === null ? start() : stop()),
  };
  for (const one of bar.querySelectorAll('button[data-do]')) {
    one.addEventListener('click', () => {
      if (one.dataset.do !== 'play') {
        stop();
      }
      acts[one.dataset.do]();
    });
  }
  line.addEventListener('input', () => {
    stop();
    show(Number(line.value), false);
  });
  root.addEventListener('keydown', event => {
    const act = { ArrowLeft: 'back', ArrowRight: 'on', Home: 'first', End: 'last', ' ': 'play' }[event.key];
    if (act && !event.target.matches('input, select, button, a') && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      if (act !== 'play') {
        stop();
      }
      acts[act]();
    }
  });
  for (const link of document.querySelectorAll('a[data-moment]')) {
    link.addEventListener('click', event => {
      event.preventDefault();
      stop();
      show(Number(link.dataset.moment), false);
      root.scrollIntoView({ block: 'start' });
      panel.focus({ preventScroll: true });
    });
  }
  marked(bar.querySelector('.player-marks'), moments, n => {
    stop();
    show(n, false);
  });
  bar.hidden = false;
  await show(at, false);
}

// The marks below the line: made of nodes and never of HTML text.
function marked(holder, moments, go) {
  moments.forEach((moment, index) => {
    for (const { look, shape, word } of moment.marks) {
      const mark = document.createElement('button');
      mark.type = 'button';
      mark.className = `player-mark mark ${look}`;
      mark.textContent = shape;
      mark.title = `${word}: ${moment.n} · ${moment.at}`;
      mark.setAttribute('aria-label', mark.title);
      mark.style.insetInlineStart = `${moments.length > 1 ? (index / (moments.length - 1)) * 100 : 0}%`;
      mark.addEventListener('click', () => go(index + 1));
      holder.append(mark);
    }
  });
}

async function got(address) {
  const response = await fetch(address, { credentials: 'same-origin', headers: { 'X-Requested-With': 'alur' } });
  if (!response.ok) {
    throw new Error(`${address} answered ${response.status}`);
  }
  return response;
}

// The diagram: another one is loaded where the instance went over to another version.
class Stage {
  constructor(container) {
    this.container = container;
    this.viewer = new NavigatedViewer(looking(container));
    this.sources = new Map();
    this.source = null;
    this.marks = [];
    this.turn = 0;
  }

  async load(source) {
    if (this.source === source) {
      return;
    }
    if (!this.sources.has(source)) {
      this.sources.set(source, (await got(source)).text());
    }
    await this.viewer.importXML(await this.sources.get(source));
    this.source = source;
    this.marks = [];
    this.fit();
    this.observer ??= new ResizeObserver(() => this.fit());
    this.observer.observe(this.container);
  }

  async show(moment, moving) {
    const turn = ++this.turn;
    await this.load(moment.diagram);
    if (moving) {
      await this.move(moment.moves.slice(0, MOST_WAYS), () => turn !== this.turn);
    }
    if (turn !== this.turn) {
      return;
    }
    const canvas = this.viewer.get('canvas');
    const elements = this.viewer.get('elementRegistry');
    for (const [ id, marker ] of this.marks) {
      canvas.removeMarker(id, marker);
    }
    this.marks = [];
    for (const status of STATUSES) {
      for (const id of moment[status].filter(one => elements.get(one))) {
        canvas.addMarker(id, `st-${status}`);
        this.marks.push([ id, `st-${status}` ]);
      }
    }
    for (const id of moment.moves.filter(one => elements.get(one))) {
      canvas.addMarker(id, 'st-active');
      this.marks.push([ id, 'st-active' ]);
    }
  }

  // A token goes along one flow after the other, as the engine took them.
  async move(flows, over) {
    const layer = this.viewer.get('canvas').getLayer('tokens', 1000);
    for (const id of flows) {
      const flow = this.viewer.get('elementRegistry').get(id);
      const path = flow && this.viewer.get('elementRegistry').getGraphics(flow).querySelector('.djs-visual > path');
      if (!path) {
        continue;
      }
      const token = document.createElementNS(SVG, 'circle');
      token.setAttribute('r', '9');
      token.setAttribute('class', 'player-token');
      layer.append(token);
      const length = path.getTotalLength();
      const begun = performance.now();
      for (let share = 0; share < 1 && !over();) {
        const now = await new Promise(requestAnimationFrame);
        share = Math.min(1, Math.max(0, now - begun) / WAY);
        const { x, y } = path.getPointAtLength(share * length);
        token.setAttribute('cx', x);
        token.setAttribute('cy', y);
      }
      token.remove();
      if (over()) {
        return;
      }
    }
  }

  fit() {
    const canvas = this.viewer.get('canvas');
    canvas.resized();
    const { inner, outer: { width: across } } = canvas.viewbox();
    const wanted = heightOf(inner, across);
    if (across && this.container.style.getPropertyValue('--diagram-height') !== wanted) {
      this.container.style.setProperty('--diagram-height', wanted);
      canvas.resized();
    }
    fitViewport(canvas);
  }
}

const root = document.querySelector('[data-player]');
if (root) {
  try {
    await play(root);
  } catch (error) {
    console.warn('replay:', error.message);
    const holder = root.querySelector('#diagram');
    holder.textContent = root.dataset.failed ?? '';
    holder.classList.add('diagram-failed');
  }
}
document.body.dataset.ready = '1';
