/*
 * What packages say where no translation reaches, in Indonesian: file -> [its words in the source, ours]. build.mjs puts
 * these into their sources, and stops when one of them is not there any more.
 */
const FEATURES = 'bpmn-js-token-simulation/lib/features';

export const TEXTS = {
  'diagram-js/lib/features/popup-menu/PopupMenuComponent.js': [
    [ "${ entriesToShow.length === 1 ? 'result' : 'results' } found", 'pilihan' ],
    [ "title || 'Search'", "title || 'Cari'" ],
    [ "title || 'Results'", "title || 'Pilihan'" ],
  ],
  [`${FEATURES}/log/Log.js`]: [
    [ "(getElementName(scopeElement) || 'SubProcess') : 'Process'", "(getElementName(scopeElement) || 'Subproses') : 'Proses'" ],
    [ "completed ? 'finished' : 'canceled'", "completed ? 'selesai' : 'dihentikan'" ],
    [ '} started`', '} dimulai`' ],
    [ "|| 'Service Task'", "|| 'Tugas sistem'" ],
    [ "|| 'User Task'", "|| 'Tugas'" ],
    [ "|| 'Call Activity'", "|| 'Proses lain'" ],
    [ "|| 'Script Task'", "|| 'Tugas skrip'" ],
    [ "|| 'Business Rule Task'", "|| 'Tugas aturan'" ],
    [ "|| 'Manual Task'", "|| 'Tugas manual'" ],
    [ "|| 'Receive Task'", "|| 'Tugas menerima'" ],
    [ "|| 'Send Task'", "|| 'Tugas mengirim'" ],
    [ "|| 'Task'", "|| 'Tugas'" ],
    [ "|| 'Exclusive Gateway'", "|| 'Percabangan pilihan'" ],
    [ "|| 'Parallel Gateway'", "|| 'Percabangan sejajar'" ],
    [ "|| 'Inclusive Gateway'", "|| 'Percabangan beberapa'" ],
    [ "|| 'Start Event'", "|| 'Awal'" ],
    [ "|| 'Intermediate Event'", "|| 'Kejadian di tengah'" ],
    [ "|| 'Boundary Event'", "|| 'Kejadian di tepi'" ],
    [ "|| 'End Event'", "|| 'Akhir'" ],
    [ 'Simulation Log\n        <button', 'Catatan simulasi\n        <button' ],
    [ 'aria-label="Close"', 'aria-label="Tutup"' ],
    [ 'No Entries', 'Belum ada catatan' ],
    [ 'title="Toggle Simulation Log"', 'title="Catatan simulasi" aria-label="Catatan simulasi"' ],
  ],
  [`${FEATURES}/show-scopes/ShowScopes.js`]: [
    [ 'title="Focus process instance ${scope.id}"', 'title="Soroti jalannya proses ${scope.id}"' ],
  ],
  [`${FEATURES}/reset-simulation/ResetSimulation.js`]: [
    [ 'title="Reset Simulation"', 'title="Ulangi simulasi dari awal" aria-label="Ulangi simulasi dari awal"' ],
    [ "text: 'Reset Simulation'", "text: 'Simulasi diulang dari awal'" ],
  ],
  [`${FEATURES}/element-support/ElementSupport.js`]: [
    [ "text: 'Found unsupported elements'", "text: 'Ada elemen yang tidak dapat disimulasikan'" ],
    [ "text: 'Not supported'", "text: 'Tidak disimulasikan'" ],
  ],
  [`${FEATURES}/toggle-mode/modeler/ToggleMode.js`]: [
    [ 'Token Simulation <span', 'Simulasi <span' ],
  ],
  [`${FEATURES}/pause-simulation/PauseSimulation.js`]: [
    [ 'title="Play/Pause Simulation"', 'title="Jalankan atau jeda" aria-label="Jalankan atau jeda"' ],
    [ "text: 'Pause Simulation'", "text: 'Simulasi dijeda'" ],
    [ "text: 'Play Simulation'", "text: 'Simulasi berjalan'" ],
  ],
  [`${FEATURES}/set-animation-speed/SetAnimationSpeed.js`]: [
    [ "[ 'Slow', 0.5 ]", "[ 'lambat', 0.5 ]" ],
    [ "[ 'Normal', 1 ]", "[ 'biasa', 1 ]" ],
    [ "[ 'Fast', 2 ]", "[ 'cepat', 2 ]" ],
    [ 'title="Set animation speed = ${ label }"', 'title="Kecepatan ${ label }" aria-label="Kecepatan ${ label }"' ],
  ],
  [`${FEATURES}/context-pads/handler/ExclusiveGatewayHandler.js`]: [
    [ 'title="Set Sequence Flow"', 'title="Pilih jalan berikutnya"' ],
  ],
  [`${FEATURES}/context-pads/handler/InclusiveGatewayHandler.js`]: [
    [ 'title="Set Sequence Flow"', 'title="Pilih jalan berikutnya"' ],
  ],
  [`${FEATURES}/context-pads/handler/PauseHandler.js`]: [
    [ "title=\"${ wait ? 'Remove' : 'Add' } pause point\"", "title=\"${ wait ? 'Jangan berhenti di sini' : 'Berhenti di sini' }\"" ],
  ],
  [`${FEATURES}/context-pads/handler/TriggerHandler.js`]: [
    [ 'title="Trigger Event"', 'title="Jalankan dari sini"' ],
  ],
  [`${FEATURES}/simulation-state/SimulationState.js`]: [
    [ "text: 'Finished'", "text: 'Selesai'" ],
  ],
};
