/*
 * What the properties panel says, and what a diagram of ours may say: names of properties, types of fields, constraints.
 * The tables are the gate's (engine/gate.py); a test compares them.
 */
export const KINDS = {
  'bpmn:UserTask': 'Langkah',
  'bpmn:StartEvent': 'Awal proses',
  'bpmn:EndEvent': 'Akhir',
  'bpmn:ExclusiveGateway': 'Percabangan: satu jalan dipilih',
  'bpmn:ParallelGateway': 'Percabangan: semua jalan',
  'bpmn:InclusiveGateway': 'Percabangan: setiap jalan yang syaratnya terpenuhi',
  'bpmn:SequenceFlow': 'Panah',
  'bpmn:Lane': 'Pelaksana',
  'bpmn:BoundaryEvent': 'Batas waktu',
  'bpmn:IntermediateCatchEvent': 'Menunggu waktu',
  'bpmn:IntermediateThrowEvent': 'Penanda: hanya dilewati',
  'bpmn:SubProcess': 'Subproses',
  'bpmn:Participant': 'SOP',
  'bpmn:Process': 'SOP',
  'bpmn:Collaboration': 'SOP',
  'bpmn:TextAnnotation': 'Catatan',
  'bpmn:Group': 'Kelompok',
  'bpmn:Association': 'Garis catatan',
};

/** The boxes of the identity part; `many`: a list, one item a line. */
export const IDENTITY = [
  { name: 'sop.pemerintah', label: 'Pemerintah' },
  { name: 'sop.unit', label: 'Unit' },
  { name: 'sop.nomorSop', label: 'Nomor SOP' },
  { name: 'sop.tanggalPembuatan', label: 'Tanggal pembuatan' },
  { name: 'sop.tanggalRevisi', label: 'Tanggal revisi' },
  { name: 'sop.tanggalPengesahan', label: 'Tanggal pengesahan' },
  { name: 'sop.tanggalEfektif', label: 'Tanggal efektif' },
  { name: 'sop.disahkanOleh', label: 'Disahkan oleh' },
  { name: 'sop.namaSop', label: 'Nama SOP (judul pada dokumen)' },
  { name: 'sop.judulBerkas', label: 'Judul berkas', hint: 'Sebutan singkat untuk satu berkas proses, misalnya LKjPD.' },
  { name: 'sop.dasarHukum', label: 'Dasar hukum', many: true },
  { name: 'sop.kualifikasiPelaksana', label: 'Kualifikasi pelaksana', many: true },
  { name: 'sop.keterkaitan', label: 'Keterkaitan', many: true },
  { name: 'sop.peralatanPerlengkapan', label: 'Peralatan/perlengkapan', many: true },
  { name: 'sop.peringatan', label: 'Peringatan', many: true },
  { name: 'sop.pencatatanDanPendataan', label: 'Pencatatan dan pendataan', many: true },
];

const TIMER = [
  'sop.pengingat', 'sop.kepada', 'sop.tembusan', 'sop.satuanWaktu', 'sop.perihal', 'sop.pengingatSebelum',
  'sop.pengingatAtasan', 'sop.atasan', 'sop.atasanTembusan', 'sop.perpanjangan', 'sop.kabarKembali',
  'sop.kabarKembaliKepada',
];

/** The properties that each kind of element may have. */
export const ELEMENT_PROPERTIES = {
  process: IDENTITY.map(one => one.name),
  lane: [ 'sop.kantorLain', 'sop.dicatatOleh' ],
  startEvent: [ 'sop.pemulai', ...TIMER ],
  userTask: [ 'sop.nomor', 'sop.kelengkapan', 'sop.waktu', 'sop.output', 'sop.keterangan', 'sop.asumsi' ],
  boundaryEvent: TIMER,
  intermediateCatchEvent: TIMER,
  subProcess: [ 'sop.tenggatUntuk', ...TIMER ],
};

/** Types of fields, in the order in which they are offered. */
export const TYPES = {
  string: 'Teks satu baris',
  text: 'Teks beberapa baris',
  long: 'Bilangan bulat',
  decimal: 'Bilangan desimal',
  date: 'Tanggal',
  time: 'Pukul',
  boolean: 'Centang (ya/tidak)',
  enum: 'Pilihan',
  person: 'Orang',
  table: 'Tabel (beberapa baris)',
  document: 'Berkas',
};
export const COLUMN_TYPES = Object.fromEntries(
  Object.entries(TYPES).filter(([ type ]) => type !== 'table' && type !== 'document'));

export const EVERY_FIELD = [
  'sop.kelompok', 'sop.petunjuk', 'sop.wajibJika', 'sop.tampilJika', 'sop.benarJika', 'sop.pesan', 'sop.keputusan',
  'sop.pribadi', 'sop.sumber',
];
/** What only fields of one type may have besides. */
export const FIELD_PROPERTIES = {
  table: [ 'sop.barisDari', 'sop.barisBawaan', 'sop.barisBawaanJika', 'sop.menunjukTim' ],
  document: [
    'sop.peran', 'sop.asal', 'sop.bentuk', 'sop.jumlah', 'sop.versi', 'sop.samaJika', 'sop.menyusul',
    'sop.menyusulJika', 'sop.dispensasi', 'sop.pelampir', 'sop.teksDari',
  ],
};
/** Constraints, and the types that they say something about. */
export const CONSTRAINTS = {
  required: Object.keys(TYPES),
  readonly: Object.keys(TYPES),
  min: [ 'long', 'decimal', 'date' ],
  max: [ 'long', 'decimal', 'date' ],
  minlength: [ 'string', 'text', 'table' ],
  maxlength: [ 'string', 'text', 'table' ],
};
/** Names that mean something of their own in expressions, or in objects. */
export const NO_NAMES = [
  'putaran', 'berkas', 'tahun', 'typename', 'and', 'or', 'not', 'if', 'then', 'else', 'for', 'in', 'return', 'some',
  'every', 'satisfies', 'between', 'true', 'false', 'null', 'item', 'instance', 'of', 'function', 'external', 'partial',
  'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty',
];

export const ROLES = {
  kelengkapan: 'Kelengkapan (diperlukan langkah ini)',
  output: 'Output (dihasilkan langkah ini)',
  bacaan: 'Bacaan (boleh dibaca)',
};
export const SLOT_FORMS = {
  berkas: 'Berkas', teks: 'Teks dari aplikasi', cetak: 'Cetak (disebut tempatnya)', tautan: 'Tautan',
};
export const SOURCES = { S: 'Tertulis dalam SOP', D: 'Diturunkan dari SOP', T: 'Tambahan' };
export const UNITS = { menit: 'menit', jam: 'jam', hari: 'hari' };
export const CLOCKS = { kerja: 'waktu kerja', kalender: 'waktu kalender' };
export const TIMER_KINDS = { timeDuration: 'Lama', timeDate: 'Tanggal', timeCycle: 'Berulang' };
export const PLACEHOLDERS = '{n}, {tahun}, {unit}, {mulai}, {batas}, {lewat}, {sisa}, {tenggat}, {pelaksana}, '
  + '{belum_disampaikan}, {tautan}';
