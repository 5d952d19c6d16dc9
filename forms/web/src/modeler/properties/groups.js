/*
 * What the panel shows of each kind of element.
 */
import { getBusinessObject, is } from 'bpmn-js/lib/util/ModelUtil';

import { button, feel, group, note, oneOf, someOf, text, tick } from './controls.js';
import { h } from './dom.js';
import {
  laneOf, lanesOf, moveToLane, nameOf, normOf, processOf, removeNorm, rename, setId, setNorm, taken,
} from './drawing.js';
import { form, others } from './form.js';
import {
  allFields, condition, documentation, duration, everyElement, expression, ofDuration, propertiesOf, property, propertyName,
  setCondition, setDocumentation, setProperties, setTimer, strangers, templates, timerOf, timerName, timerSays, wrongId,
} from './model.js';
import { CLOCKS, IDENTITY, KINDS, PLACEHOLDERS, TIMER_KINDS, UNITS } from './words.js';

export function heading(it) {
  const words = it.element ? it.holder?.get('name') || it.holder?.get('id') || '' : '';
  return h('header', { key: 'kepala', class: 'sifat-atas' },
    it.element ? h('p', { key: 'jenis', class: 'hint' }, kind(it.element)) : null,
    h('h2', { key: 'judul', tabindex: '-1' },
      it.several > 1 ? `${it.several} unsur dipilih` : words || 'Sifat'),
    it.element ? null : h('p', { key: 'kata', class: 'hint' }, it.several > 1
      ? 'Pilih satu unsur untuk melihat dan mengubah isinya.' : 'Belum ada diagram.'));
}

function kind(element) {
  if (is(element, 'bpmn:StartEvent') && timerOf(getBusinessObject(element))) {
    return 'Saat tenggat tiba';
  }
  if (is(element, 'bpmn:SubProcess') && getBusinessObject(element).get('triggeredByEvent')) {
    return 'Tenggat';
  }
  if (isInner(element)) {
    return is(element, 'bpmn:StartEvent') ? 'Awal subproses' : KINDS[element.type] ?? 'Unsur lain';
  }
  return KINDS[element.type] ?? 'Unsur lain';
}

/** Whether it stands in a subprocess that is not the deadline: nobody starts that, the way through the process does. */
function isInner(element) {
  const around = getBusinessObject(element).$parent;
  return is(around, 'bpmn:SubProcess') && !around.get('triggeredByEvent');
}

export function groups(it) {
  const { element } = it;
  if (is(element, 'bpmn:UserTask')) {
    return userTask(it);
  }
  if (is(element, 'bpmn:Participant') || is(element, 'bpmn:Collaboration') || is(element, 'bpmn:Process')) {
    return it.holder ? sop(it) : [ group(it, 'apa', 'Apa', () => [ name(it) ]) ];
  }
  if (is(element, 'bpmn:SequenceFlow')) {
    return [ group(it, 'apa', 'Apa', () => [ name(it, 'Nama', 'Misalnya Ya atau Tidak.'), conditionOf(it, element) ]),
      rest(it) ];
  }
  if (is(element, 'bpmn:Lane')) {
    return [ group(it, 'apa', 'Apa', () => lane(it)), rest(it, false) ];
  }
  if (is(element, 'bpmn:Gateway')) {
    return [ group(it, 'apa', 'Apa', () => [ name(it, 'Pertanyaan', 'Misalnya Disetujui?') ]), ways(it), rest(it) ];
  }
  if (is(element, 'bpmn:SubProcess')) {
    return it.holder.get('triggeredByEvent') ? deadline(it)
      : [ group(it, 'apa', 'Apa', () => [ name(it), described(it) ]), rest(it, false) ];
  }
  if (is(element, 'bpmn:Event')) {
    return event(it);
  }
  return [ is(element, 'bpmn:TextAnnotation') ? group(it, 'apa', 'Apa', () => [ text(it, {
    name: 'teks', label: 'Catatan', lines: 3, value: it.holder.get('text') ?? '',
    commit: value => it.edit(() => it.modeler.get('modeling').updateProperties(element, { text: value })),
  }) ]) : group(it, 'apa', 'Apa', () => [ it.holder.get('name') === undefined ? note('kata', 'Tidak ada isian khusus.')
    : name(it) ]), rest(it) ];
}

// --- Parts of several ---------------------------------------------------------------------------------------------

function name(it, label = 'Nama', hint) {
  return text(it, {
    name: 'nama', label, hint, value: it.holder.get('name') ?? '',
    commit: value => {
      if (value !== (it.holder.get('name') ?? '')) {
        it.edit(() => rename(it.modeler, it.element, value || undefined));
      }
    },
  });
}

function described(it, label = 'Keterangan', lines = 3) {
  return text(it, {
    name: 'uraian', label, lines, value: documentation(it.holder),
    commit: value => it.change(setDocumentation(it.make, it.holder, value.trim())),
  });
}

/** A property of the element; an empty one goes, unless the dialect writes it empty (`kept`). */
function own(it, key, label, { kept = false, of = it.holder, on = it.element, ...more } = {}) {
  return text(it, {
    name: key, label, value: property(of, key),
    commit: value => {
      if (value !== property(of, key)) {
        it.changeOn(on, setProperties(it.make, of, { [key]: value.trim() || kept ? value : null }));
      }
    },
    ...more,
  });
}

function lanes(it, key, label, hint, { of = it.holder, on = it.element, options } = {}) {
  return someOf(it, {
    name: key, label, hint, value: property(of, key), options: options ?? laneOptions(it),
    commit: value => it.changeOn(on, setProperties(it.make, of, { [key]: value || null })),
  });
}

function laneOptions(it) {
  return lanesOf(processOf(it.element)).map(one => [ one.get('id'), one.get('name') || one.get('id') ]);
}

/** Documentation where it has no better place, the id, and what the panel does not know. */
function rest(it, withDocumentation = true) {
  return group(it, 'lain', 'Selebihnya', () => {
    const list = strangers(it.holder);
    return [
      withDocumentation ? described(it) : null, identity(it),
      h('div', { key: 'asing' }, h('h4', {}, 'Lain-lain'),
        others(list) ?? note('tidak-ada', 'Tidak ada sifat lain pada unsur ini.')),
    ];
  }, false);
}

function identity(it) {
  const loose = it.loose.has(it.element.id);
  const now = it.holder.get('id') ?? '';
  return [
    text(it, {
      name: 'id', label: 'Id', value: now, readonly: !loose,
      hint: loose ? 'Hati-hati: riwayat, berkas proses yang berjalan dan penugasan mengenal unsur ini dari idnya.' : undefined,
      wrong: value => wrongId(value),
      commit: value => {
        const id = value.trim();
        const wrong = id === now ? '' : wrongId(id) || (taken(it.modeler, id) ? `Id "${id}" sudah dipakai. Beri id lain.` : '');
        if (!wrong && id !== now) {
          it.loose.add(id);
          // Of a pool it is the process inside that has the identity.
          it.edit(() => (it.holder === getBusinessObject(it.element) ? setId(it.modeler, it.element, id)
            : it.apply([ { of: it.holder, set: { id } } ])));
        }
        return wrong;
      },
    }),
    loose ? null : button(it, 'buka-id', 'Ubah id', () => {
      it.loose.add(it.element.id);
      it.focus('id');
    }),
  ];
}

// --- The user task --------------------------------------------------------------------------------------------------

function userTask(it) {
  const norm = normOf(it.modeler, it.element);
  return [
    group(it, 'apa', 'Apa', () => [
      described(it, 'Uraian', 4), name(it, 'Nama singkat', 'Yang tertulis di dalam kotak.'),
      own(it, 'sop.nomor', 'Nomor', {
        number: true, wrong: value => (!value || /^[0-9]{1,3}$/.test(value.trim()) ? '' : 'Tulis nomor langkah, misalnya 3.'),
      }),
    ]),
    group(it, 'siapa', 'Siapa', () => [ performer(it), tick(it, {
      name: 'sop.asumsi', label: 'Asumsi', hint: 'Dokumen SOP tidak menyebutkan pelaksananya; perlu dipastikan.',
      value: property(it.holder, 'sop.asumsi').trim().toLowerCase() === 'ya',
      commit: on => it.change(setProperties(it.make, it.holder, { 'sop.asumsi': on ? 'ya' : null })),
    }) ]),
    group(it, 'mutu', 'Mutu baku', () => [
      waktu(it, norm), own(it, 'sop.waktu', 'Sel Waktu sebagaimana tertulis', { kept: true }),
      own(it, 'sop.kelengkapan', 'Kelengkapan', { lines: 2, kept: true }),
      own(it, 'sop.output', 'Output', { lines: 2, kept: true }),
      own(it, 'sop.keterangan', 'Keterangan', { lines: 2, kept: true }),
    ]),
    group(it, 'formulir', 'Formulir', () => form(it)),
    group(it, 'pengingat', 'Pengingat', () => (norm ? reminders(it, getBusinessObject(norm), norm)
      : note('kata', 'Isi Waktu lebih dahulu; pengingat melekat pada batas waktunya.')), false),
    rest(it, false),
  ];
}

function performer(it) {
  const options = laneOptions(it);
  const now = laneOf(it.element)?.get('id') ?? '';
  if (!options.length) {
    return note('pelaksana', 'Diagram ini belum mempunyai lajur pelaksana.');
  }
  if (isInner(it.element)) {
    const said = options.find(([ id ]) => id === now)?.[1];
    return note('pelaksana', `Pelaksana: ${said ?? 'belum ada'}, menurut lajur tempat kotaknya digambar.`);
  }
  return oneOf(it, {
    name: 'pelaksana', label: 'Pelaksana', value: now, options: now ? options : [ [ '', 'Belum berada di lajur' ], ...options ],
    hint: 'Memilih pelaksana lain memindahkan kotaknya ke lajur itu.',
    commit: id => {
      const target = lanesOf(processOf(it.element)).find(one => one.get('id') === id);
      if (target && id !== now) {
        it.edit(() => moveToLane(it.modeler, it.make, it.element, target));
      }
    },
  });
}

function waktu(it, norm) {
  const event = norm && getBusinessObject(norm);
  const said = event ? timerSays(timerOf(event)).text : '';
  const clock = (event && property(event, 'sop.satuanWaktu').trim()) || it.chosen.get(it.id('satuan')) || 'kerja';
  const put = (written, how = clock) => it.edit(() => setNorm(it.modeler, it.make, it.element, { text: written, clock: how }));
  return h('fieldset', { key: 'waktu', class: 'sifat-waktu' }, h('legend', {}, 'Waktu'),
    amount(it, 'waktu', said, put, Boolean(norm)),
    oneOf(it, {
      name: 'satuan', label: 'Dihitung dalam', value: clock, options: Object.entries(CLOCKS),
      commit: value => (norm ? put(said, value) : void it.chosen.set(it.id('satuan'), value)),
    }),
    norm ? button(it, 'hapus-waktu', 'Hapus waktu', () => {
      it.edit(() => removeNorm(it.modeler, it.make, it.element));
      it.focus('waktu-angka');
    }) : note('belum', 'Belum ada batas waktu. Mengisi angka membuatnya beserta akhir "Pengingat".'));
}

/** A duration as number and unit; one that says more is a text. */
function amount(it, key, said, put, drawn) {
  const one = ofDuration(said);
  if (said && !one) {
    return text(it, {
      name: `${key}-lama`, label: 'Lama', value: said, hint: 'Misalnya P2D, PT20M, P1DT4H, atau =ungkapan.',
      wrong: value => wrongDuration(value.trim()), commit: value => value.trim() ? void put(value.trim()) : 'Isi lamanya.',
    });
  }
  const unit = one?.unit ?? it.chosen.get(it.id(`${key}-unit`)) ?? 'hari';
  return [
    text(it, {
      name: `${key}-angka`, label: 'Angka', value: one ? String(one.number) : '', number: true,
      wrong: value => (!value.trim() && !drawn ? '' : /^[1-9][0-9]{0,4}$/.test(value.trim()) ? ''
        : 'Tulis bilangan bulat lebih dari nol.'),
      commit: value => {
        const number = value.trim();
        if (!number && !drawn) {
          return '';
        }
        if (!/^[0-9]{1,5}$/.test(number)) {
          return number ? 'Tulis bilangan bulat lebih dari nol.' : 'Isi angkanya, atau tekan Hapus waktu.';
        }
        if (Number(number) !== one?.number) {
          put(duration({ number: Number(number), unit }));
        }
        return '';
      },
    }),
    oneOf(it, {
      name: `${key}-unit`, label: 'Satuan', value: unit, options: Object.entries(UNITS),
      commit: value => (one ? put(duration({ number: one.number, unit: value }))
        : void it.chosen.set(it.id(`${key}-unit`), value)),
    }),
  ];
}

function wrongDuration(value) {
  return value.startsWith('=') || /^P(?=.)(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?$/.test(value) ? ''
    : 'Tulis lama seperti P2D (dua hari) atau PT20M (dua puluh menit).';
}

/** What a timer tells, and whom. */
function reminders(it, event, shape) {
  const about = { of: event, on: shape };
  const message = (key, label, hint) => own(it, key, label, { ...about, lines: 3, hint });
  const people = (key, label, hint) => lanes(it, key, label, hint, about);
  return [
    note('tempat', `Dapat dipakai: ${PLACEHOLDERS}.`),
    own(it, 'sop.perihal', 'Perihal', about),
    message('sop.pengingat', 'Pengingat saat batas terlewati'), people('sop.kepada', 'Kepada'),
    people('sop.tembusan', 'Tembusan'),
    message('sop.pengingatSebelum', 'Pengingat sebelum batas', 'Kosong: tidak dikirim.'),
    message('sop.pengingatAtasan', 'Pemberitahuan kepada atasan', 'Dikirim pada dua kali waktu baku.'),
    people('sop.atasan', 'Atasan'), people('sop.atasanTembusan', 'Tembusan atasan'),
    message('sop.kabarKembali', 'Kabar bila dikembalikan'), people('sop.kabarKembaliKepada', 'Kabar kepada'),
    people('sop.perpanjangan', 'Yang boleh memperpanjang', 'Kosong: perpanjangan tidak ditawarkan.'),
  ];
}

// --- Events ---------------------------------------------------------------------------------------------------------

function event(it) {
  const { element, holder } = it;
  const timer = timerOf(holder);
  const start = is(element, 'bpmn:StartEvent') && !timer && !isInner(element);
  return [
    group(it, 'apa', 'Apa', () => [ name(it), described(it) ]),
    start ? group(it, 'siapa', 'Siapa', () => [
      lanes(it, 'sop.pemulai', 'Yang boleh memulai', 'Pelaksana lajur ini dapat memulai proses.') ]) : null,
    start ? group(it, 'formulir', 'Formulir', () => form(it)) : null,
    timer ? group(it, 'mutu', 'Waktu', () => [ when(it, holder, element, timer), is(element, 'bpmn:BoundaryEvent') ? tick(it, {
      name: 'menghentikan', label: 'Menghentikan langkahnya', value: holder.get('cancelActivity') !== false,
      hint: 'Batas waktu mutu baku tidak menghentikan langkah.',
      commit: on => it.edit(() => it.modeler.get('modeling').updateProperties(element, { cancelActivity: on })),
    }) : null ]) : null,
    timer && (!is(element, 'bpmn:StartEvent') || propertiesOf(holder).length)
      ? group(it, 'pengingat', 'Pengingat', () => reminders(it, holder, element), false) : null,
    rest(it, false),
  ].filter(Boolean);
}

function when(it, holder, element, timer) {
  const said = timerSays(timer);
  const shown = said.kind || it.chosen.get(it.id('jenis-waktu')) || 'timeDuration';
  const clock = property(holder, 'sop.satuanWaktu').trim() || 'kerja';
  const norm = element.host && normOf(it.modeler, element.host) === element;
  const put = (value, kind = shown) => it.edit(() => {
    if (norm && kind === 'timeDuration') {
      setNorm(it.modeler, it.make, element.host, { text: value, clock });
      return;
    }
    it.apply(setTimer(it.make, timer, kind, value));
    // A name that says the duration says the new one.
    if (timerName(said.text, clock) && holder.get('name') === timerName(said.text, clock) && timerName(value, clock)) {
      rename(it.modeler, element, timerName(value, clock));
    }
  });
  return h('fieldset', { key: 'waktu', class: 'sifat-waktu' }, h('legend', {}, 'Kapan'),
    oneOf(it, {
      name: 'jenis-waktu', label: 'Jenis', value: shown, options: Object.entries(TIMER_KINDS),
      commit: value => (said.kind ? put({ timeDuration: 'P1D', timeDate: '=today()', timeCycle: 'R3/P1D' }[value], value)
        : void it.chosen.set(it.id('jenis-waktu'), value)),
    }),
    shown === 'timeDuration' ? amount(it, 'waktu', said.text, put, Boolean(said.text)) : text(it, {
      name: 'waktu-teks', label: shown === 'timeDate' ? 'Tanggal' : 'Berulang', value: said.text,
      feel: said.text.startsWith('='),
      hint: shown === 'timeDate' ? 'Misalnya 2027-03-01, atau =date(tahun_laporan + 1, 3, 1).' : 'Misalnya R3/P1D.',
      commit: value => value.trim() ? void put(value.trim()) : 'Isi waktunya.',
    }),
    is(holder, 'bpmn:StartEvent') ? null : oneOf(it, {
      name: 'satuan', label: 'Dihitung dalam', value: clock, options: Object.entries(CLOCKS),
      commit: value => it.edit(() => {
        it.apply(setProperties(it.make, holder, { 'sop.satuanWaktu': value === 'kerja' ? null : value }));
        if (timerName(said.text, clock) && holder.get('name') === timerName(said.text, clock)) {
          rename(it.modeler, element, timerName(said.text, value));
        }
      }),
    }));
}

function deadline(it) {
  const { holder } = it;
  const start = (holder.get('flowElements') ?? []).find(one => is(one, 'bpmn:StartEvent') && timerOf(one));
  const shape = start && it.modeler.get('elementRegistry').get(start.get('id'));
  const tasks = everyElement(processOf(it.element)).filter(one => is(one, 'bpmn:UserTask'));
  return [
    group(it, 'apa', 'Apa', () => [ name(it), described(it), oneOf(it, {
      name: 'sop.tenggatUntuk', label: 'Terpenuhi setelah langkah', value: property(holder, 'sop.tenggatUntuk').trim(),
      options: [ [ '', 'Belum disebut' ], ...tasks.map(one => [ one.get('id'), one.get('name') || one.get('id') ]) ],
      commit: value => it.change(setProperties(it.make, holder, { 'sop.tenggatUntuk': value || null })),
    }), shape ? text(it, {
      name: 'tanggal', label: 'Tanggal', value: timerSays(timerOf(start)).text, feel: true,
      hint: 'Misalnya =date(tahun_laporan + 1, 3, 1): saat Februari berakhir.',
      commit: value => (value.trim() ? it.changeOn(shape, setTimer(it.make, timerOf(start), 'timeDate', value.trim()))
        : 'Isi tanggalnya.'),
    }) : null ]),
    group(it, 'pengingat', 'Pengingat', () => {
      const used = [ 'sop.tenggatUntuk', 'sop.perihal', 'sop.pengingat', 'sop.kepada', 'sop.tembusan' ];
      return propertiesOf(holder).every(one => used.includes(propertyName(one))) ? [
        note('tempat', `Dapat dipakai: ${PLACEHOLDERS}.`), own(it, 'sop.perihal', 'Perihal'),
        own(it, 'sop.pengingat', 'Pengingat', { lines: 3 }), lanes(it, 'sop.kepada', 'Kepada'),
        lanes(it, 'sop.tembusan', 'Tembusan'),
      ] : reminders(it, holder, it.element); // a deadline does not ask for the others; where one is written it is shown
    }),
    rest(it, false),
  ];
}

// --- Ways -----------------------------------------------------------------------------------------------------------

function ways(it) {
  const flows = it.element.outgoing.filter(one => is(one, 'bpmn:SequenceFlow'));
  return group(it, 'jalan', 'Jalan keluar', () => flows.length ? flows.map((flow, n) => {
    const way = getBusinessObject(flow);
    const to = way.get('targetRef');
    return h('fieldset', { key: flow.id, class: 'sifat-bagian' },
      h('legend', {}, `Menuju ${saidOf(to)}`),
      it.holder.get('default') === way ? note('bawaan', 'Jalan bawaan: dipakai bila syarat lain tidak terpenuhi.') : null,
      text(it, {
        name: `jalan-${n}-nama`, label: 'Nama', value: way.get('name') ?? '',
        commit: value => it.edit(() => rename(it.modeler, flow, value || undefined)),
      }),
      chooses(it.holder) && (flows.length > 1 || condition(way)) ? conditionOf(it, flow, `jalan-${n}-`) : null);
  }) : note('kata', 'Belum ada panah keluar.'));
}

function chooses(node) {
  return is(node, 'bpmn:ExclusiveGateway') || is(node, 'bpmn:InclusiveGateway');
}

/** Where a way leads: a gateway without a name only merges, so what comes after it is meant. */
function saidOf(node) {
  const ways = node?.get('outgoing') ?? [];
  const after = is(node, 'bpmn:Gateway') && !node.get('name') && ways.length === 1 ? ways[0].get('targetRef') : node;
  return after?.get('name') || after?.get('id') || '?';
}

function conditionOf(it, flow, prefix = '') {
  const way = getBusinessObject(flow);
  const decides = chooses(way.get('sourceRef')) && way.get('sourceRef').get('outgoing').length > 1;
  if (!decides && !condition(way)) {
    return note('tanpa-syarat', 'Panah ini tidak memerlukan syarat.');
  }
  const offered = templates(processOf(flow));
  const put = value => it.changeOn(flow, setCondition(it.make, way, value));
  return [
    feel(it, {
      name: `${prefix}syarat`, label: 'Syarat', value: condition(way), about: flow.id, commit: value => put(expression(value)),
      wrong: value => (value.trim() || !decides || way.get('sourceRef').get('default') === way ? ''
        : 'Tulis kapan jalan ini diambil.'),
    }),
    offered.length ? oneOf(it, {
      name: `${prefix}contoh`, label: 'Isi syarat dari pilihan', value: '',
      options: [ [ '', 'Pilih jawaban formulir' ], ...offered.map(one => [ one.text, one.label ]) ],
      commit: value => value && put(value) || '',
    }) : null,
  ];
}

// --- Lanes and the SOP itself ---------------------------------------------------------------------------------------

function lane(it) {
  const process = processOf(it.element);
  const id = it.holder.get('id');
  const teams = new Set(allFields(process).map(({ field }) => property(field, 'sop.menunjukTim').trim()).filter(Boolean));
  const recorders = lanesOf(process).filter(one => one.get('id') !== id).flatMap(one => {
    const said = one.get('name') || one.get('id');
    return [ [ one.get('id'), said ], ...teams.has(one.get('id')) ? [ [ `${one.get('id')}:ketua`, `Ketua ${said}` ] ] : [] ];
  });
  const other = property(it.holder, 'sop.kantorLain').trim() === 'ya';
  return [
    name(it, 'Nama pelaksana'), described(it),
    tick(it, {
      name: 'sop.kantorLain', label: 'Kantor lain', value: other, hint: 'Kantor yang mungkin tidak memakai aplikasi ini.',
      commit: on => it.change(setProperties(it.make, it.holder, on ? { 'sop.kantorLain': 'ya' }
        : { 'sop.kantorLain': null, 'sop.dicatatOleh': null })),
    }),
    other || property(it.holder, 'sop.dicatatOleh') ? lanes(it, 'sop.dicatatOleh', 'Dicatat oleh',
      'Yang boleh mencatat atas nama kantor lain itu.', { options: recorders }) : null,
  ];
}

function sop(it) {
  const process = it.holder;
  const pool = is(it.element, 'bpmn:Participant') ? it.element : it.modeler.get('elementRegistry')
    .find(one => is(one, 'bpmn:Participant') && getBusinessObject(one).get('processRef') === process);
  const now = nameOf(process);
  return [
    group(it, 'identitas', 'Identitas SOP', () => [
      text(it, {
        name: 'nama-proses', label: 'Nama SOP', value: now, wrong: value => (value.trim() ? '' : 'Tulis nama SOP.'),
        commit: value => value !== now && it.edit(() => {
          // The process and the pool around it say the same name, or only one of them says it.
          if ((process.get('name') ?? '') !== '' || !pool) {
            it.apply([ { of: process, set: { name: value } } ]);
          }
          if (pool && (getBusinessObject(pool).get('name') ?? '') !== '' || (pool && !process.get('name'))) {
            rename(it.modeler, pool, value);
          }
        }) || '',
      }),
      IDENTITY.map(({ name: key, label, hint, many }) => own(it, key, label, {
        kept: true, ...(many ? { lines: 3, hint: 'Satu butir satu baris.' } : { hint }),
      })),
    ]),
    rest(it),
  ];
}
