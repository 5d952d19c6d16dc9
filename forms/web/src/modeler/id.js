/*
 * The modeler in Indonesian: what bpmn-js and its neighbours say, ours for theirs.
 *
 * Elements carry BPMN's own name in brackets, because findings and the SOP of other tools call them so. `untranslated`
 * collects what had no word here: a test fails on it.
 */
const WORDS = {
  // palette
  'Activate hand tool': 'Geser kanvas',
  'Activate lasso tool': 'Pilih beberapa elemen',
  'Activate create/remove space tool': 'Lapangkan atau rapatkan',
  'Activate global connect tool': 'Hubungkan dua elemen',
  'Create start event': 'Tambah awal (start event)',
  'Create intermediate/boundary event': 'Tambah kejadian di tengah atau di tepi',
  'Create end event': 'Tambah akhir (end event)',
  'Create gateway': 'Tambah percabangan (gateway)',
  'Create task': 'Tambah tugas',
  'Create user task': 'Tambah tugas (user task)',
  'Create data object reference': 'Tambah data',
  'Create data store reference': 'Tambah tempat data',
  'Create expanded sub-process': 'Tambah subproses',
  'Create pool/participant': 'Tambah bidang proses (pool)',
  'Create group': 'Tambah bingkai',
  'Create element': 'Tambah elemen',

  // context pad
  'Append end event': 'Sambung dengan akhir',
  'Append gateway': 'Sambung dengan percabangan',
  'Append task': 'Sambung dengan tugas',
  'Append user task': 'Sambung dengan tugas (user task)',
  'Append element': 'Sambung dengan elemen lain',
  'Append intermediate/boundary event': 'Sambung dengan kejadian di tengah',
  'Append receive task': 'Sambung dengan tugas menerima',
  'Append compensation activity': 'Sambung dengan tugas pembatalan',
  'Append message intermediate catch event': 'Sambung dengan penerimaan pesan',
  'Append timer intermediate catch event': 'Sambung dengan penantian waktu',
  'Append conditional intermediate catch event': 'Sambung dengan penantian syarat',
  'Append signal intermediate catch event': 'Sambung dengan penantian sinyal',
  'Add text annotation': 'Beri catatan',
  'Add lane above': 'Tambah lane di atas',
  'Add lane below': 'Tambah lane di bawah',
  'Divide into two lanes': 'Bagi menjadi dua lane',
  'Divide into three lanes': 'Bagi menjadi tiga lane',
  'Change element': 'Ganti jenis elemen',
  'Connect to other element': 'Hubungkan ke elemen lain',
  'Connect using association': 'Hubungkan catatan',
  'Connect using data input association': 'Hubungkan data',
  'Delete': 'Hapus',
  'Set color': 'Beri warna',
  'Align elements': 'Ratakan',
  'Align elements left': 'Rata kiri',
  'Align elements center': 'Rata tengah tegak',
  'Align elements right': 'Rata kanan',
  'Align elements top': 'Rata atas',
  'Align elements middle': 'Rata tengah mendatar',
  'Align elements bottom': 'Rata bawah',
  'Distribute elements horizontally': 'Samakan jarak mendatar',
  'Distribute elements vertically': 'Samakan jarak tegak',
  'Open {element}': 'Buka {element}',
  'Search in diagram': 'Cari di diagram',
  'Open minimap': 'Buka peta kecil',
  'Close minimap': 'Tutup peta kecil',
  'Toggle non-interrupting': 'Menghentikan tugasnya atau tidak',
  'Loop': 'Berulang',
  'Parallel multi-instance': 'Banyak sekaligus',
  'Sequential multi-instance': 'Banyak berurutan',
  'Participant multiplicity': 'Banyak pihak',
  'Collection': 'Kumpulan',
  'Templates': 'Pola',

  // groups and elements of the menus
  'Events': 'Kejadian',
  'Tasks': 'Tugas',
  'Gateways': 'Percabangan',
  'Sub-processes': 'Subproses',
  'Data': 'Data',
  'Participants': 'Bidang proses',
  'Task': 'Tugas umum (task)',
  'User task': 'Tugas (user task)',
  'Service task': 'Tugas sistem (service task)',
  'Send task': 'Tugas mengirim (send task)',
  'Receive task': 'Tugas menerima (receive task)',
  'Manual task': 'Tugas manual (manual task)',
  'Business rule task': 'Tugas aturan (business rule task)',
  'Script task': 'Tugas skrip (script task)',
  'Call activity': 'Proses lain (call activity)',
  'Transaction': 'Transaksi',
  'Event sub-process': 'Subproses tenggat (event sub-process)',
  'Sub-process': 'Subproses',
  'Sub-process (collapsed)': 'Subproses (tertutup)',
  'Sub-process (expanded)': 'Subproses (terbuka)',
  'Ad-hoc sub-process': 'Subproses bebas',
  'Ad-hoc sub-process (collapsed)': 'Subproses bebas (tertutup)',
  'Ad-hoc sub-process (expanded)': 'Subproses bebas (terbuka)',
  'Exclusive gateway': 'Percabangan pilihan (gateway eksklusif)',
  'Parallel gateway': 'Percabangan sejajar (gateway paralel)',
  'Inclusive gateway': 'Percabangan beberapa (gateway inklusif)',
  'Complex gateway': 'Percabangan rumit (gateway kompleks)',
  'Event-based gateway': 'Percabangan menurut kejadian',
  'Event based instantiating Gateway': 'Percabangan pembuka menurut kejadian',
  'Parallel Event based instantiating Gateway': 'Percabangan pembuka sejajar menurut kejadian',
  'Start event': 'Awal (start event)',
  'End event': 'Akhir (end event)',
  'Intermediate throw event': 'Kejadian di tengah',
  'Boundary event': 'Kejadian di tepi',
  'Terminate end event': 'Akhir seluruh proses (terminate end event)',
  'Timer start event': 'Awal pada waktunya (timer)',
  'Timer start event (non-interrupting)': 'Awal pada waktunya, tidak menghentikan (timer)',
  'Timer intermediate catch event': 'Tunggu waktu (timer)',
  'Timer boundary event': 'Batas waktu yang menghentikan tugas (timer)',
  'Timer boundary event (non-interrupting)': 'Pengingat waktu di tepi tugas (timer)',
  'Conditional flow': 'Panah bersyarat',
  'Default flow': 'Panah bawaan',
  'Sequence flow': 'Panah biasa',
  'Data object reference': 'Data',
  'Data store reference': 'Tempat data',
  'Empty pool/participant': 'Bidang proses kosong (pool)',
  'Expanded pool/participant': 'Bidang proses (pool)',

  // colours
  'Default': 'Tanpa warna',
  'Blue': 'Biru',
  'Orange': 'Jingga',
  'Green': 'Hijau',
  'Red': 'Merah',
  'Purple': 'Ungu',

  // when something cannot be drawn there
  'flow elements must be children of pools/participants': 'Letakkan elemen di dalam bidang proses (pool).',
  'Data object must be placed within a pool/participant.': 'Letakkan data di dalam bidang proses (pool).',
};

// Kinds of events that no process here carries; an imported diagram may hold them, so they have a name all the same.
const KINDS = {
  Cancel: 'pembatalan',
  Compensation: 'kompensasi',
  Conditional: 'syarat',
  Error: 'kesalahan',
  Escalation: 'eskalasi',
  Link: 'sambungan',
  Message: 'pesan',
  Signal: 'sinyal',
};
const PLACES = {
  'start event': 'Awal karena',
  'start event (non-interrupting)': 'Awal, tidak menghentikan, karena',
  'intermediate catch event': 'Tunggu',
  'intermediate throw event': 'Kirim',
  'boundary event': 'Di tepi, menghentikan tugas, karena',
  'boundary event (non-interrupting)': 'Di tepi, tidak menghentikan, karena',
  'end event': 'Akhir dengan',
};
for (const [ kind, ours ] of Object.entries(KINDS)) {
  for (const [ place, before ] of Object.entries(PLACES)) {
    WORDS[`${kind} ${place}`] = `${before} ${ours}`;
  }
}

export const untranslated = new Set();

export function translate(template, replacements = {}) {
  const found = WORDS[template];
  if (found === undefined && /[A-Za-z]{2}/.test(template)) {
    untranslated.add(template);
  }
  return (found ?? template).replace(/{([^}]+)}/g, (whole, name) => replacements[name] ?? whole);
}

export default { translate: [ 'value', translate ] };
