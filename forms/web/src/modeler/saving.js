/*
 * Keeps what is drawn: in this browser at once (shelf.js), on the server a moment after the last change.
 *
 * A save names the revision it began from. Where somebody else saved meanwhile nothing is overwritten: the person chooses
 * between theirs and a draft of their own, and what was not chosen stays in the browser until it is thrown away by hand.
 * Without a connection, or after the session has ended, the work stays here and is sent when that is mended.
 */
import { make } from './findings.js';

const REST = 1500; // ms after the last change before it is sent
const KEEP = 300; // ms before it is kept in the browser
const HEARTBEAT = 20_000; // ms between two looks at who is here
const AGAIN = [ 3_000, 6_000, 15_000, 30_000, 60_000 ]; // ms between two tries while the server is not there
const LEFT = ':ditinggalkan';
const MOST_LEFT = 5;

const clock = at => new Date(at).toLocaleTimeString('id-ID', { hour: '2-digit', minute: '2-digit' });
const moment = at => new Date(at).toLocaleString('id-ID', { weekday: 'long', hour: '2-digit', minute: '2-digit' });

export function keepSaved({ modeler, server, page, shelf, places, flush, changedOutside }) {
  let revision = null;
  let stored = ''; // the XML as the server has it
  let changes = 0; // counted, to know whether something came while a save was under way
  let sent = 0;
  let busy = false;
  let stopped = ''; // why nothing is sent by itself any more
  let tries = 0;
  let sending = null;
  let keeping = null;
  const notices = new Map();

  const xmlNow = async () => (await modeler.saveXML({ format: true })).xml;
  const unsaved = () => changes !== sent;

  // --- What the person reads ---------------------------------------------------------------------------------------

  function state(name, text) {
    places.state.dataset.state = name;
    places.state.textContent = text;
  }

  /* A message above the canvas, one of each kind; buttons: [words, what they do]. */
  function notice(kind, text, buttons = [], look = 'warning') {
    notices.get(kind)?.remove();
    notices.delete(kind);
    if (!text) {
      return;
    }
    const box = make('div', `message ${look}`);
    box.dataset.kind = kind;
    box.append(make('p', '', text));
    if (buttons.length) {
      const row = make('p', 'actions');
      row.append(...buttons.map(([ words, act ]) => {
        const button = typeof act === 'string' ? make('a', 'button', words) : make('button', '', words);
        if (typeof act === 'string') {
          Object.assign(button, { href: act, target: '_blank', rel: 'noopener' });
        } else {
          button.type = 'button';
          button.addEventListener('click', act);
        }
        return button;
      }));
      box.append(row);
    }
    notices.set(kind, box);
    places.notices.append(box);
  }

  // --- In this browser ---------------------------------------------------------------------------------------------

  function keepSoon() {
    clearTimeout(keeping);
    keeping = setTimeout(keep, KEEP);
  }

  async function keep() {
    flush();
    clearTimeout(keeping);
    if (unsaved()) {
      await shelf.keep({ xml: await xmlNow(), revision, at: new Date().toISOString() });
    }
  }

  async function leave(copy) {
    const left = await shelf.look(LEFT) ?? [];
    await shelf.keep([ copy, ...left ].slice(0, MOST_LEFT), LEFT);
    await shelf.clear();
  }

  async function forgetLeft(at) {
    const left = (await shelf.look(LEFT) ?? []).filter(one => one.at !== at);
    await (left.length ? shelf.keep(left, LEFT) : shelf.clear(LEFT));
    await offerLeft();
  }

  /* Offers what was never saved: after a crash, and after somebody chose the other's work. */
  async function offerLeft() {
    const [ copy ] = await shelf.look(LEFT) ?? [];
    if (!copy) {
      notice('left', '');
      return;
    }
    const old = copy.revision !== revision ? ' Sesudah itu rancangan ini disimpan lagi dari tempat lain.' : '';
    notice('left', `Ada pekerjaan Anda dari ${moment(copy.at)} yang belum tersimpan; salinannya ada di peramban ini.${old}`, [
      ...(page.readonly ? [] : [ [ 'Pulihkan', () => bringBack(copy) ] ]),
      [ 'Simpan sebagai rancangan baru', async () => await keepAsNew(copy.xml) && forgetLeft(copy.at) ],
      [ 'Buang', () => forgetLeft(copy.at) ],
    ]);
  }

  async function bringBack(copy) {
    if (unsaved()) {
      await leave({ xml: await xmlNow(), revision, at: new Date().toISOString() });
    }
    await modeler.importXML(copy.xml);
    revision = copy.revision;
    stopped = '';
    changed();
    await keep();
    await forgetLeft(copy.at);
    changedOutside();
  }

  // --- To the server -----------------------------------------------------------------------------------------------

  function changed() {
    if (page.readonly) {
      return;
    }
    changes += 1;
    keepSoon();
    if (!stopped) {
      state('unsaved', 'Belum tersimpan');
      sendIn(REST);
    }
  }

  function sendIn(milliseconds) {
    clearTimeout(sending);
    sending = setTimeout(send, milliseconds);
  }

  async function send() {
    clearTimeout(sending);
    flush(); // what is typed in the panel and not left yet; it comes back as a change
    clearTimeout(sending);
    if (busy || page.readonly || !unsaved() || stopped === 'conflict') {
      return;
    }
    busy = true;
    state('saving', 'Menyimpan …');
    const upTo = changes;
    try {
      const xml = await xmlNow();
      const answer = xml === stored ? null : await server.save(xml, revision);
      stopped = '';
      tries = 0;
      sent = upTo;
      if (answer) {
        revision = answer.revision;
        stored = xml;
        notice('session', '');
        notice('refused', '');
        places.saved(answer);
      }
      state('saved', `Tersimpan ${answer?.clock ?? clock(new Date())}`);
      if (unsaved()) {
        state('unsaved', 'Belum tersimpan');
        sendIn(REST);
      } else {
        clearTimeout(keeping);
        await shelf.clear();
      }
    } catch (trouble) {
      await failed(trouble);
    } finally {
      busy = false;
    }
  }

  async function failed(trouble) {
    await keep();
    switch (trouble.kind) {
      case 'conflict':
        stopped = 'conflict';
        state('conflict', 'Belum tersimpan: sudah disimpan dari tempat lain');
        return chooseBetween(trouble.answer);
      case 'signed_out':
        return signedOut();
      case 'refused':
        stopped = 'refused';
        state('refused', 'Belum tersimpan');
        return notice('refused', `${trouble.message} Pekerjaan Anda tetap ada di peramban ini.`, [
          [ 'Simpan sebagai rancangan baru', async () => keepAsNew(await xmlNow()) ], [ 'Unduh milik saya', download ],
        ], 'error');
      default:
        stopped = 'offline';
        state('offline', trouble.kind === 'offline'
          ? 'Belum terkirim. Akan dikirim saat tersambung.'
          : 'Belum tersimpan. Server sedang tidak dapat melayani; dicoba lagi.');
        sendIn(AGAIN[Math.min(tries, AGAIN.length - 1)]);
        tries += 1;
    }
    return undefined;
  }

  async function signedOut() {
    // The key of the page may merely be older than the session: one look brings the new one.
    if (stopped !== 'signed_out') {
      stopped = 'signed_out';
      try {
        const { person } = await server.here();
        if (person === page.person) {
          sendIn(0);
          return;
        }
      } catch (trouble) {
        console.info('session:', trouble.message);
      }
    }
    state('signed_out', 'Belum tersimpan: sesi Anda sudah berakhir');
    notice('session', 'Sesi Anda sudah berakhir. Pekerjaan Anda tetap ada di peramban ini. Masuk lagi di jendela baru, lalu '
      + 'kembali ke sini: pekerjaan dikirim dengan sendirinya.', [ [ 'Masuk lagi', server.url('masuk') ] ]);
  }

  async function keepAsNew(xml) {
    try {
      const { address } = await server.keepAsNew(xml);
      notice('new', 'Pekerjaan Anda tersimpan sebagai rancangan baru.', [ [ 'Buka rancangan baru', address ] ], '');
      return true;
    } catch (trouble) {
      notice('new', `Rancangan baru belum tersimpan: ${trouble.message} Salinannya tetap ada di peramban ini.`, [
        [ 'Unduh milik saya', download ],
      ], 'error');
      return false;
    }
  }

  async function download() {
    const address = URL.createObjectURL(new Blob([ await xmlNow() ], { type: 'application/xml' }));
    const link = make('a');
    Object.assign(link, { href: address, download: `${page.name.replace(/\W+/g, '_') || 'rancangan'}.bpmn` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /* Two people saved from one revision: nothing is overwritten, and what is not chosen is kept. */
  function chooseBetween({ saved_by: by, saved_at: at, mine }) {
    const dialog = make('dialog', 'choice');
    dialog.setAttribute('aria-labelledby', 'pilihan-judul');
    const title = make('h2', '', 'Rancangan ini sudah disimpan dari tempat lain');
    title.id = 'pilihan-judul';
    const who = mine ? `Anda sendiri menyimpannya ${at} di jendela lain.` : `${by} menyimpannya ${at}.`;
    const actions = make('p', 'actions');
    const button = (words, look, act) => {
      const one = make('button', look, words);
      one.type = 'button';
      one.addEventListener('click', async () => {
        actions.querySelectorAll('button').forEach(other => { other.disabled = true; });
        if (await act()) {
          dialog.close();
        } else {
          actions.querySelectorAll('button').forEach(other => { other.disabled = false; });
        }
      });
      actions.append(one);
    };
    const loaded = async () => {
      if (!await load()) {
        return false;
      }
      await offerLeft();
      return true;
    };
    button('Simpan milik saya sebagai rancangan baru', 'primary', async () => {
      if (!await keepAsNew(await xmlNow())) {
        return false;
      }
      await shelf.clear();
      return loaded();
    });
    button('Muat yang tersimpan', '', async () => {
      await leave({ xml: await xmlNow(), revision, at: new Date().toISOString() });
      return loaded();
    });
    dialog.append(title, make('p', '', `${who} Pekerjaan Anda belum tersimpan dan tidak ditimpakan pada pekerjaan itu.`), actions);
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (stopped === 'conflict') {
        notice('conflict', `${who} Pekerjaan Anda belum tersimpan.`, [ [ 'Pilih', () => {
          notice('conflict', '');
          chooseBetween({ saved_by: by, saved_at: at, mine });
        } ] ]);
      }
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  /* Loads what the server has, in place of what is drawn; false where it cannot be had. */
  async function load() {
    let loaded;
    try {
      loaded = await server.load();
    } catch (trouble) {
      notice('load', `Rancangan tidak dapat dimuat. ${trouble.message}`, [], 'error');
      return false;
    }
    await modeler.importXML(loaded.xml);
    revision = loaded.revision;
    stored = loaded.xml;
    changes = sent = 0;
    stopped = '';
    for (const kind of [ 'load', 'newer', 'conflict', 'refused' ]) {
      notice(kind, '');
    }
    state('saved', page.readonly ? 'Hanya dapat dilihat' : 'Tersimpan');
    changedOutside();
    return true;
  }

  // --- Who else is here ----------------------------------------------------------------------------------------------

  async function look() {
    let found;
    try {
      found = await server.here();
    } catch (trouble) {
      places.here.textContent = '';
      if (trouble.kind === 'signed_out' && !page.readonly) {
        await signedOut();
      }
      return;
    }
    if (found.person !== page.person) {
      stopped = 'signed_out';
      notice('session', 'Peramban ini sekarang dipakai orang lain yang masuk. Pekerjaan Anda tetap ada di peramban ini, dan '
        + 'dikirim setelah Anda masuk lagi.', [ [ 'Masuk lagi', server.url('masuk') ] ]);
      return;
    }
    const names = found.others.map(one => one.name);
    places.here.textContent = names.length ? `${names.join(', ')} juga membuka rancangan ini` : '';
    notice('session', '');
    if (!unsaved() && places.state.dataset.state === 'saved' && found.revision === revision && !page.readonly) {
      state('saved', `Tersimpan ${found.clock}`);
    }
    if (found.proposed && !page.proposed) {
      notice('proposed', 'Rancangan ini sudah diusulkan untuk pengesahan, jadi tidak dapat diubah lagi.');
    }
    if (!page.older && revision !== null && found.revision > revision && !busy && stopped !== 'conflict') {
      const who = found.mine ? 'Anda' : found.saved_by;
      notice('newer', `${who} menyimpan rancangan ini ${found.saved_at}.`, unsaved() ? [] : [ [ 'Muat yang tersimpan', load ] ]);
    }
    if (stopped === 'signed_out' || stopped === 'offline') {
      stopped = '';
      send();
    }
  }

  // --- From the beginning ----------------------------------------------------------------------------------------------

  async function begin() {
    if (!await load()) {
      return false;
    }
    const copy = await shelf.look();
    if (copy && copy.xml !== stored) {
      await leave(copy);
    }
    await offerLeft();
    modeler.on('commandStack.changed', ({ trigger }) => trigger !== 'clear' && changed());
    window.addEventListener('online', () => send());
    window.addEventListener('beforeunload', event => {
      flush();
      if (unsaved()) {
        event.preventDefault();
      }
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') {
        keep().then(send);
      } else {
        look();
      }
    });
    document.addEventListener('keydown', event => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
        event.preventDefault();
        send();
      }
    });
    look();
    setInterval(look, HEARTBEAT);
    return true;
  }

  return { begin, send, look };
}
