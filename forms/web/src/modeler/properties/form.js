/*
 * The form of a user task or of the start event: its fields in order, each with what CONTRACTS say of it.
 */
import { arrows, button, feel, group, note, oneOf, someOf, text, tick } from './controls.js';
import { h } from './dom.js';
import { lanesOf, processOf } from './drawing.js';
import {
  addField, allFields, columnsOf, constraint, everyElement, expression, fieldsOf, free, holds, idOf, moved, moveField, property,
  removeField, setChoices, setColumns, setConstraints, setProperties, setType, strangers, usesOf, written, wrongLimit,
  wrongName,
} from './model.js';
import { COLUMN_TYPES, CONSTRAINTS, ROLES, SLOT_FORMS, SOURCES, TYPES } from './words.js';

const NUMBERS = new WeakMap(); // a field -> its name within the panel, whatever its place
let last = 0;

export function nameOf(field) {
  if (!NUMBERS.has(field)) {
    NUMBERS.set(field, `isian-${++last}`);
  }
  return NUMBERS.get(field);
}

export function form(it) {
  const fields = fieldsOf(it.holder);
  return [
    note('kata', fields.length ? 'Urutan di sini adalah urutan di layar pelaksana. Alt+Panah juga memindahkan.'
      : 'Formulir ini belum mempunyai isian.'),
    h('ol', { key: 'daftar', class: 'sifat-daftar' }, fields.map((field, n) => line(it, field, n, fields.length))),
    h('div', { key: 'tambah', class: 'actions' },
      button(it, 'tambah-isian', 'Tambah isian', () => add(it, 'string', 'Isian baru')),
      button(it, 'tambah-berkas', 'Tambah berkas', () => add(it, 'document', 'Berkas baru'))),
    earlier(it, fields),
    it.server?.preview ? h('div', { key: 'lihat', class: 'actions' },
      button(it, 'lihat', 'Lihat tampilan tugas', () => it.preview(), { 'aria-haspopup': 'dialog' })) : null,
  ];
}

/** Papers that another step has already: one choice, and the slot is the same document. */
function earlier(it, fields) {
  const here = fields.map(one => one.get('id'));
  const found = new Map();
  for (const { field, element } of allFields(processOf(it.element))) {
    const id = field.get('id');
    // Where it is made is where it comes from, else where it is named first.
    const made = property(field, 'sop.peran') === 'output' && property(found.get(id)?.field ?? field, 'sop.peran') !== 'output';
    if (field.get('type') === 'document' && element !== it.holder && !here.includes(id) && (made || !found.has(id))) {
      found.set(id, { field, element });
    }
  }
  if (!found.size) {
    return null;
  }
  return oneOf(it, {
    name: 'berkas-lain', label: 'Pakai berkas dari langkah lain', value: '',
    options: [ [ '', 'Pilih berkas' ], ...[ ...found.values() ].map(({ field, element }) =>
      [ field.get('id'), `${field.get('label') || field.get('id')} (${element.get('name') || element.get('id')})` ]) ],
    commit: id => {
      const { field, element } = found.get(id) ?? {};
      if (!field) {
        return;
      }
      const origin = element.$type === 'bpmn:StartEvent' ? 'mulai' : element.get('id');
      let created;
      it.edit(() => {
        it.apply(addField(it.make, it.holder, { id, label: field.get('label') ?? id, type: 'document' }));
        created = fieldsOf(it.holder).at(-1);
        it.apply(setProperties(it.make, created, {
          'sop.peran': 'kelengkapan', 'sop.asal': origin, 'sop.bentuk': property(field, 'sop.bentuk') || 'berkas',
          'sop.jumlah': property(field, 'sop.jumlah') || '1', 'sop.versi': null,
        }));
      });
      it.show(nameOf(created), 'label');
    },
  });
}

function add(it, type, label) {
  const id = free(idOf(label), allFields(processOf(it.element)).map(({ field }) => field.get('id')));
  it.change(addField(it.make, it.holder, { id, label, type }));
  it.show(nameOf(fieldsOf(it.holder).at(-1)), 'label');
}

function line(it, field, at, count) {
  const name = nameOf(field);
  const open = it.openField === name;
  const label = field.get('label') || field.get('id');
  const said = `isian ${label}`;
  const move = by => {
    it.change(moveField(it.make, it.holder, field, by));
    it.say(`${label}: urutan ${fieldsOf(it.holder).indexOf(field) + 1} dari ${count}.`);
  };
  const remove = () => {
    const next = fieldsOf(it.holder)[at + 1] ?? fieldsOf(it.holder)[at - 1];
    it.change(removeField(it.make, it.holder, field));
    it.say(`${label} dihapus.`);
    it.focus(next ? `${nameOf(next)}-judul` : 'tambah-isian');
  };
  return h('li', { key: name, class: open ? 'sifat-isian terbuka' : 'sifat-isian' },
    h('div', { key: 'kepala', class: 'sifat-kepala' },
      h('h4', { key: 'judul' }, h('button', {
        key: 'tombol', id: it.id(`${name}-judul`), type: 'button', class: 'sifat-judul', 'aria-expanded': String(open),
        onclick: () => it.openOnly(open ? '' : name),
        onkeydown: event => {
          const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (by) {
            event.preventDefault();
            move(by);
          }
        },
      }, h('span', { key: 'nama' }, label), h('small', { key: 'jenis' },
        ` ${TYPES[field.get('type')] ?? field.get('type') ?? ''}${holds(field, 'required') ? ', wajib' : ''}`))),
      arrows(it, name, said, at, count, { move })),
    open ? h('div', { key: 'isi', class: 'sifat-isi' }, editor(it, field, name),
      h('div', { key: 'hapus', class: 'actions' },
        button(it, `${name}-hapus`, 'Hapus isian', remove, { 'aria-label': `Hapus ${said}` }))) : null);
}

function editor(it, field, name) {
  const type = field.get('type') ?? '';
  const set = values => it.change(setProperties(it.make, field, values));
  const own = (key, label, more = {}) => text(it, {
    name: `${name}-${key}`, label, value: property(field, key), commit: value => set({ [key]: value.trim() || null }), ...more,
  });
  const when = (key, label, hint) => feel(it, {
    name: `${name}-${key}`, label, value: expression(property(field, key)), hint,
    commit: value => set({ [key]: written(value) || null }),
  });
  const yes = (key, label, hint) => tick(it, {
    name: `${name}-${key}`, label, hint, value: property(field, key).trim() === 'ya',
    commit: on => set({ [key]: on ? 'ya' : null }),
  });
  const groups = [ ...new Set(fieldsOf(it.holder).map(one => property(one, 'sop.kelompok')).filter(Boolean)) ];
  return [
    text(it, {
      name: `${name}-label`, label: 'Label', value: field.get('label') ?? '', commit: value => relabel(it, field, value),
      wrong: value => (value.trim() ? '' : 'Tulis label yang dibaca pelaksana.'),
    }),
    identity(it, field, name),
    oneOf(it, {
      name: `${name}-jenis`, label: 'Jenis', value: type, options: Object.entries(TYPES),
      commit: value => it.change(setType(it.make, field, value)),
    }),
    type === 'enum' ? choices(it, field, name) : null,
    type === 'table' ? columns(it, field, name) : null,
    type === 'document' ? slot(it, field, name, { own, when, set }) : null,
    tick(it, {
      name: `${name}-wajib`, label: 'Wajib', value: holds(field, 'required'),
      commit: on => it.change(setConstraints(it.make, field, { required: on ? '' : null })),
    }),
    holds(field, 'required') && !property(field, 'sop.wajibJika') ? null : when('sop.wajibJika', 'Wajib jika'),
    when('sop.tampilJika', 'Tampil jika', 'Isian yang tidak tampil tidak disimpan. Kosong: selalu tampil.'),
    own('sop.petunjuk', 'Petunjuk', { lines: 2 }),
    own('sop.kelompok', 'Kelompok', { suggestions: groups, hint: 'Isian berkelompok sama tampil bersama.' }),
    [ 'min', 'max', 'minlength', 'maxlength' ].filter(one => CONSTRAINTS[one].includes(type))
      .map(one => limit(it, field, name, one)),
    type === 'document' || type === 'table' ? null : text(it, {
      name: `${name}-awal`, label: 'Nilai awal', value: field.get('defaultValue') ?? '',
      hint: 'Teks biasa, atau ungkapan FEEL yang diawali tanda sama dengan, misalnya =today().',
      commit: value => it.change([ { of: field, set: { defaultValue: value.trim() || undefined } } ]),
    }),
    type === 'table' ? rows(it, field, name, { own, when, set }) : null,
    group(it, 'isian-lanjutan', 'Lebih lanjut', () => further(it, field, name, { own, when, yes, set }), false, 'h5'),
  ];
}

function further(it, field, name, { own, when, yes, set }) {
  return [
    when('sop.benarJika', 'Benar jika', 'Diperiksa bila isian ini diisi.'),
    own('sop.pesan', 'Pesan bila tidak benar'),
    yes('sop.keputusan', 'Keputusan', 'Ditampilkan paling atas sebagai pilihan besar.'),
    yes('sop.pribadi', 'Data pribadi', 'Tidak dapat dibaca oleh syarat panah.'),
    tick(it, {
      name: `${name}-baca`, label: 'Hanya dibaca', value: holds(field, 'readonly'),
      commit: on => it.change(setConstraints(it.make, field, { readonly: on ? '' : null })),
    }),
    oneOf(it, {
      name: `${name}-sumber`, label: 'Sumber', value: property(field, 'sop.sumber'),
      options: [ [ '', 'Tidak disebut' ], ...Object.entries(SOURCES) ], commit: value => set({ 'sop.sumber': value || null }),
    }),
    others(strangers(field)),
  ];
}

/** The label; as long as the id was made from it and nothing else says the id, the id follows. */
function relabel(it, field, value) {
  const process = processOf(it.element);
  const id = field.get('id') ?? '';
  const made = idOf(field.get('label'));
  const set = { label: value };
  if (made && id.replace(/_\d+$/, '') === made.replace(/_\d+$/, '') && idOf(value) && !usesOf(process, id, field).length) {
    const others = allFields(process).map(one => one.field).filter(one => one !== field).map(one => one.get('id'));
    set.id = free(idOf(value), others);
  }
  it.change([ { of: field, set } ]);
}

function identity(it, field, name) {
  const id = field.get('id') ?? '';
  const uses = usesOf(processOf(it.element), id, field);
  const here = fieldsOf(it.holder).filter(one => one !== field).map(one => one.get('id'));
  return text(it, {
    name: `${name}-id`, label: 'Id', value: id,
    hint: uses.length ? `Hati-hati mengubah: id ini juga disebut oleh ${uses.slice(0, 5).join(', ')}`
      + `${uses.length > 5 ? ` dan ${uses.length - 5} lainnya` : ''}.` : 'Nama isian dalam ungkapan dan data.',
    wrong: value => wrongName(value.trim(), here),
    commit: value => it.change([ { of: field, set: { id: value.trim() } } ]),
  });
}

function limit(it, field, name, one) {
  const type = field.get('type');
  const rows = type === 'table';
  const label = {
    min: type === 'date' ? 'Paling awal' : 'Paling kecil', max: type === 'date' ? 'Paling akhir' : 'Paling besar',
    minlength: rows ? 'Paling sedikit baris' : 'Paling pendek (huruf)',
    maxlength: rows ? 'Paling banyak baris' : 'Paling panjang (huruf)',
  }[one];
  return text(it, {
    name: `${name}-${one}`, label, value: constraint(field, one) ?? '', number: type !== 'date',
    wrong: value => wrongLimit(one, type, value.trim()),
    commit: value => it.change(setConstraints(it.make, field, { [one]: value.trim() || null })),
  });
}

// --- Choices, columns ---------------------------------------------------------------------------------------------

function choices(it, field, name) {
  const list = (field.get('values') ?? []).map(of => ({ of, id: of.get('id') ?? '', name: of.get('name') ?? '' }));
  const put = wanted => it.change(setChoices(it.make, field, wanted));
  const others = n => list.filter((_, m) => m !== n).map(one => one.id);
  return h('fieldset', { key: 'pilihan', class: 'sifat-bagian' }, h('legend', {}, 'Pilihan'),
    list.map((one, n) => {
      const key = `${name}-pilihan-${n}`;
      return h('div', { key, class: 'sifat-baris' },
        text(it, {
          name: `${key}-nama`, label: `Pilihan ${n + 1}`, value: one.name,
          commit: value => put(list.map((other, m) => (m === n ? {
            ...one, name: value, id: one.id === idOf(one.name) ? free(idOf(value) || one.id, others(n)) : one.id,
          } : other))),
        }),
        text(it, {
          name: `${key}-nilai`, label: 'Nilai yang disimpan', value: one.id,
          wrong: value => (!value.trim() ? 'Tulis nilainya.'
            : others(n).includes(value.trim()) ? 'Nilai ini sudah dipakai pilihan lain.' : ''),
          commit: value => put(list.map((other, m) => (m === n ? { ...one, id: value.trim() } : other))),
        }),
        arrows(it, key, `pilihan ${one.name || one.id}`, n, list.length, {
          move: by => put(moved(list, n, n + by)),
          remove: () => {
            put(list.filter((_, m) => m !== n));
            it.focus(`${name}-tambah-pilihan`);
          },
        }));
    }),
    button(it, `${name}-tambah-pilihan`, 'Tambah pilihan', () => {
      const id = free(`pilihan_${list.length + 1}`, list.map(one => one.id));
      put([ ...list, { id, name: `Pilihan ${list.length + 1}` } ]);
      it.focus(`${name}-pilihan-${list.length}-nama`);
    }));
}

function columns(it, field, name) {
  const list = columnsOf(field);
  const put = wanted => it.change(setColumns(it.make, field, wanted));
  const others = n => list.filter((_, m) => m !== n).map(one => one.id);
  return h('fieldset', { key: 'kolom', class: 'sifat-bagian' }, h('legend', {}, 'Kolom'),
    list.map((one, n) => {
      const key = `${name}-kolom-${n}`;
      const change = what => put(list.map((other, m) => (m === n ? { ...one, ...what } : other)));
      return h('fieldset', { key, class: 'sifat-baris' }, h('legend', {}, `Kolom ${n + 1}`),
        text(it, {
          name: `${key}-label`, label: 'Judul kolom', value: one.label,
          wrong: value => (value.trim() ? '' : 'Tulis judul kolom.'),
          commit: value => change({
            label: value, id: one.id === idOf(one.label) ? free(idOf(value) || one.id, others(n)) : one.id,
          }),
        }),
        text(it, {
          name: `${key}-id`, label: 'Id kolom', value: one.id, wrong: value => wrongName(value.trim(), others(n)),
          commit: value => (value.trim() ? change({ id: value.trim() }) : 'Tulis id kolom.'),
        }),
        oneOf(it, {
          name: `${key}-jenis`, label: 'Jenis', value: one.type, options: Object.entries(COLUMN_TYPES),
          commit: value => change({
            type: value,
            options: value === 'enum' ? 'pilihan_1=Pilihan 1' : one.type === 'enum' ? '' : one.options,
          }),
        }),
        oneOf(it, {
          name: `${key}-wajib`, label: 'Pengisian', value: one.need,
          options: [ [ 'tidak', 'Boleh kosong' ], [ 'wajib', 'Wajib' ], [ 'jika', 'Wajib jika ...' ],
            [ 'baca', 'Hanya dibaca' ] ],
          commit: value => change({ need: value, when: value === 'jika' ? one.when || 'putaran >= 2' : '' }),
        }),
        one.need === 'jika' ? feel(it, {
          names: list.map(other => other.id),
          name: `${key}-jika`, label: 'Wajib jika', value: one.when, hint: 'Ungkapan FEEL; menyebut id kolom lain.',
          wrong: value => (value.trim() ? '' : 'Tulis ungkapannya.'), commit: value => change({ when: expression(value) }),
        }) : null,
        text(it, {
          name: `${key}-pilihan`, label: one.type === 'enum' ? 'Pilihan kolom' : 'Nilai awal kolom',
          value: one.type === 'enum' ? one.options : one.options.replace(/^awal=/, ''),
          hint: one.type === 'enum' ? 'Tulis nilai=Label, dipisah titik koma: ketua=Ketua; anggota=Anggota.' : undefined,
          commit: value => change({
            options: one.type === 'enum' || !value.trim() ? value.trim() : `awal=${value.trim()}`,
          }),
        }),
        arrows(it, key, `kolom ${one.label}`, n, list.length, {
          move: by => put(moved(list, n, n + by)),
          remove: () => {
            put(list.filter((_, m) => m !== n));
            it.focus(`${name}-tambah-kolom`);
          },
        }));
    }),
    button(it, `${name}-tambah-kolom`, 'Tambah kolom', () => {
      const id = free('kolom_baru', list.map(one => one.id));
      put([ ...list, { id, label: 'Kolom baru', type: 'string', need: 'tidak', when: '', options: '' } ]);
      it.focus(`${name}-kolom-${list.length}-label`);
    }));
}

function rows(it, field, name, { own, when, set }) {
  const process = processOf(it.element);
  const tables = new Map(allFields(process).filter(one => one.field.get('type') === 'table' && one.field !== field)
    .map(one => [ one.field.get('id'), one.field.get('label') || one.field.get('id') ]));
  return [
    someOf(it, {
      name: `${name}-sop.barisDari`, label: 'Menjawab baris dari', options: [ ...tables ],
      value: property(field, 'sop.barisDari'),
      hint: 'Setiap baris tabel itu dijawab satu baris. Yang dipilih lebih dahulu dipakai pada putaran pertama.',
      commit: value => set({ 'sop.barisDari': value || null }),
    }),
    own('sop.barisBawaan', 'Isi satu baris bila tidak ada yang diketik'),
    when('sop.barisBawaanJika', 'Baris itu dibuat jika'),
    oneOf(it, {
      name: `${name}-sop.menunjukTim`, label: 'Baris ini menunjuk anggota', value: property(field, 'sop.menunjukTim'),
      options: [ [ '', 'Tidak' ], ...lanesOf(process).map(lane => [ lane.get('id'), lane.get('name') || lane.get('id') ]) ],
      commit: value => set({ 'sop.menunjukTim': value || null }),
    }),
  ];
}

// --- Documents ----------------------------------------------------------------------------------------------------

function slot(it, field, name, { own, when, set }) {
  const process = processOf(it.element);
  const id = field.get('id');
  const tasks = everyElement(process).filter(one => one.$type === 'bpmn:UserTask');
  const said = one => [ one.get('id'), one.get('name') || one.get('id') ];
  const holders = tasks.filter(one => one !== it.holder && fieldsOf(one).some(other => other.get('id') === id));
  const texts = new Map(allFields(process).filter(one => one.field.get('type') !== 'document')
    .map(one => [ one.field.get('id'), one.field.get('label') || one.field.get('id') ]));
  const choose = (key, label, options, hint) => oneOf(it, {
    name: `${name}-${key}`, label, value: property(field, key), options, hint, commit: value => set({ [key]: value || null }),
  });
  return h('fieldset', { key: 'berkas', class: 'sifat-bagian' }, h('legend', {}, 'Berkas'),
    choose('sop.peran', 'Peran', [ [ '', 'Belum disebut' ], ...Object.entries(ROLES) ]),
    choose('sop.asal', 'Asal', [ [ '', 'Tidak disebut' ], [ 'mulai', 'Dilampirkan saat mulai' ],
      [ 'langkah', 'Dilampirkan selama langkah ini' ], ...holders.map(said).map(([ one, words ]) => [ one, `Dari: ${words}` ]) ]),
    someOf(it, {
      name: `${name}-sop.bentuk`, label: 'Bentuk', value: property(field, 'sop.bentuk'), options: Object.entries(SLOT_FORMS),
      commit: value => set({ 'sop.bentuk': value || null }),
    }),
    choose('sop.jumlah', 'Jumlah', [ [ '', 'Satu (bawaan)' ], [ '1', 'Satu' ], [ 'banyak', 'Banyak' ] ]),
    choose('sop.versi', 'Versi', [ [ '', 'Baru (bawaan)' ], [ 'baru', 'Harus baru pada putaran ini' ],
      [ 'sama', 'Versi yang masuk boleh diteruskan' ] ]),
    when('sop.samaJika', 'Boleh sama jika'),
    choose('sop.menyusul', 'Boleh menyusul, paling lambat sebelum', [ [ '', 'Tidak boleh menyusul' ], ...tasks.map(said) ]),
    property(field, 'sop.menyusul') || property(field, 'sop.menyusulJika')
      ? when('sop.menyusulJika', 'Boleh menyusul hanya jika') : null,
    choose('sop.dispensasi', 'Dispensasi', [ [ '', 'Boleh diberikan (bawaan)' ], [ 'ya', 'Boleh diberikan' ],
      [ 'tidak', 'Tidak dapat diberikan' ] ]),
    someOf(it, {
      name: `${name}-sop.pelampir`, label: 'Pelampir lain', value: property(field, 'sop.pelampir'),
      options: lanesOf(process).map(said), hint: 'Boleh melampirkan tanpa menyelesaikan langkah.',
      commit: value => set({ 'sop.pelampir': value || null }),
    }),
    choose('sop.teksDari', 'Teks dibuat dari isian', [ [ '', 'Tidak' ], ...texts ]));
}

export function others(list) {
  return list.length ? h('div', { key: 'lain', class: 'sifat-lain' },
    note('kata', 'Tidak dikenal di sini; disimpan apa adanya.'),
    h('dl', { key: 'daftar', class: 'facts' }, list.map(({ name, value }, n) => h('div', { key: `${n}` },
      h('dt', {}, name), h('dd', {}, value || '(kosong)'))))) : null;
}
