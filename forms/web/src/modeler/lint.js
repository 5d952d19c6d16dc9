/*
 * bpmnlint's recommended rules as suggestions: [{ severity: 'advice', element, line: 0, message }]. They judge the style of
 * a drawing; what deployment decides is the server's gate (findings.js puts both into one list).
 */
import Linter from 'bpmnlint/lib/linter.js';
import recommended from 'bpmnlint/config/recommended.js';

import adHocSubProcess from 'bpmnlint/rules/ad-hoc-sub-process.js';
import conditionalFlows from 'bpmnlint/rules/conditional-flows.js';
import endEventRequired from 'bpmnlint/rules/end-event-required.js';
import eventBasedGateway from 'bpmnlint/rules/event-based-gateway.js';
import eventSubProcessTypedStartEvent from 'bpmnlint/rules/event-sub-process-typed-start-event.js';
import fakeJoin from 'bpmnlint/rules/fake-join.js';
import globalElements from 'bpmnlint/rules/global.js';
import labelRequired from 'bpmnlint/rules/label-required.js';
import linkEvent from 'bpmnlint/rules/link-event.js';
import noBpmndi from 'bpmnlint/rules/no-bpmndi.js';
import noComplexGateway from 'bpmnlint/rules/no-complex-gateway.js';
import noDisconnected from 'bpmnlint/rules/no-disconnected.js';
import noDuplicateSequenceFlows from 'bpmnlint/rules/no-duplicate-sequence-flows.js';
import noGatewayJoinFork from 'bpmnlint/rules/no-gateway-join-fork.js';
import noImplicitEnd from 'bpmnlint/rules/no-implicit-end.js';
import noImplicitSplit from 'bpmnlint/rules/no-implicit-split.js';
import noImplicitStart from 'bpmnlint/rules/no-implicit-start.js';
import noInclusiveGateway from 'bpmnlint/rules/no-inclusive-gateway.js';
import noOverlappingElements from 'bpmnlint/rules/no-overlapping-elements.js';
import singleBlankStartEvent from 'bpmnlint/rules/single-blank-start-event.js';
import singleEventDefinition from 'bpmnlint/rules/single-event-definition.js';
import startEventRequired from 'bpmnlint/rules/start-event-required.js';
import subProcessBlankStartEvent from 'bpmnlint/rules/sub-process-blank-start-event.js';
import superfluousGateway from 'bpmnlint/rules/superfluous-gateway.js';
import superfluousLabel from 'bpmnlint/rules/superfluous-label.js';
import superfluousTermination from 'bpmnlint/rules/superfluous-termination.js';

// Each rule with what it means for an owner: what is, and what to do.
const RULES = {
  'ad-hoc-sub-process': [ adHocSubProcess, 'Subproses bebas tidak memakai awal dan akhir. Gambarkan langkahnya langsung di dalam proses.' ],
  'conditional-flows': [ conditionalFlows, 'Panah dari percabangan ini belum bersyarat. Isi syaratnya, atau jadikan panah bawaan.' ],
  'end-event-required': [ endEventRequired, 'Belum ada akhir. Tambahkan akhir (end event).' ],
  'event-based-gateway': [ eventBasedGateway, 'Percabangan menurut kejadian memerlukan sedikitnya dua panah tanpa syarat.' ],
  'event-sub-process-typed-start-event': [ eventSubProcessTypedStartEvent, 'Awal subproses tenggat belum berjenis. Jadikan awal pada waktunya (timer).' ],
  'fake-join': [ fakeJoin, 'Beberapa panah masuk tanpa bergabung. Gabungkan dahulu dengan percabangan.' ],
  'global': [ globalElements, 'Ada pesan, sinyal, atau kesalahan yang tidak bernama, tidak dipakai, atau bernama sama.' ],
  'label-required': [ labelRequired, 'Belum bernama. Beri nama dengan mengetuk dua kali.' ],
  'link-event': [ linkEvent, 'Sambungan tidak bernama atau tidak berpasangan.' ],
  'no-bpmndi': [ noBpmndi, 'Ada dalam berkas, tetapi tidak tergambar.' ],
  'no-complex-gateway': [ noComplexGateway, 'Percabangan rumit sukar dibaca. Pakai percabangan pilihan.' ],
  'no-disconnected': [ noDisconnected, 'Tidak terhubung dengan apa pun. Hubungkan, atau hapus.' ],
  'no-duplicate-sequence-flows': [ noDuplicateSequenceFlows, 'Ada dua panah yang sama. Hapus salah satunya.' ],
  'no-gateway-join-fork': [ noGatewayJoinFork, 'Percabangan ini sekaligus menggabung dan memecah. Pakai dua percabangan.' ],
  'no-implicit-end': [ noImplicitEnd, 'Berhenti tanpa akhir. Sambung dengan akhir (end event).' ],
  'no-implicit-split': [ noImplicitSplit, 'Beberapa panah keluar tanpa percabangan. Pakai percabangan.' ],
  'no-implicit-start': [ noImplicitStart, 'Tidak ada panah yang masuk. Hubungkan dari langkah sebelumnya.' ],
  'no-inclusive-gateway': [ noInclusiveGateway, 'Percabangan beberapa (gateway inklusif) menempuh setiap jalan yang syaratnya terpenuhi. Pastikan itu yang dimaksud.' ],
  'no-overlapping-elements': [ noOverlappingElements, 'Bertumpuk dengan elemen lain, atau keluar dari tempatnya. Geser.' ],
  'single-blank-start-event': [ singleBlankStartEvent, 'Ada lebih dari satu awal. Sisakan satu.' ],
  'single-event-definition': [ singleEventDefinition, 'Satu kejadian memuat beberapa jenis. Sisakan satu.' ],
  'start-event-required': [ startEventRequired, 'Belum ada awal. Tambahkan awal (start event).' ],
  'sub-process-blank-start-event': [ subProcessBlankStartEvent, 'Awal di dalam subproses tidak boleh berjenis.' ],
  'superfluous-gateway': [ superfluousGateway, 'Percabangan ini hanya punya satu panah masuk dan satu panah keluar. Hapus bila tidak perlu.' ],
  'superfluous-label': [ superfluousLabel, 'Nama panah ini tidak perlu: hanya panah dari percabangan yang dinamai.' ],
  'superfluous-termination': [ superfluousTermination, 'Akhir ini tidak perlu menghentikan seluruh proses. Pakai akhir biasa.' ],
};

const resolver = {
  resolveRule: (_package, name) => RULES[name][0],
  resolveConfig: (_package, name) => {
    throw new Error(`no lint configuration ${name}`);
  },
};

export async function advice(definitions) {
  // A fresh one each time: its rules remember the ids of the diagram before.
  const reports = await new Linter({ resolver, config: recommended }).lint(definitions);
  return Object.entries(reports).flatMap(([ rule, found ]) =>
    found.map(({ id }) => ({ severity: 'advice', element: id ?? null, line: 0, message: RULES[rule][1] })));
}
