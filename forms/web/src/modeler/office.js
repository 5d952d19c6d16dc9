/*
 * What may be drawn: the menus offer what a process here can carry, and a task is a user task. The rest of BPMN stays
 * visible where an imported diagram has it, and the findings say what to draw instead.
 */
const PALETTE_LEFT_OUT = [ 'create.intermediate-event', 'create.data-object', 'create.data-store' ];
const PAD_LEFT_OUT = [
  'append.intermediate-event', 'append.receive-task', 'append.message-intermediate-event',
  'append.condition-intermediate-event', 'append.signal-intermediate-event', 'append.compensation-activity',
];
// Endings of the ids that the create, append and replace menus give their entries.
const OFFERED = [
  'user-task', 'exclusive-gateway', 'parallel-gateway', 'inclusive-gateway', 'expanded-subprocess', 'subprocess',
  'none-intermediate-throwing', 'none-intermediate-throw', 'none-start-event', 'none-start', 'none-end-event', 'none-end',
  'terminate-end', 'timer-intermediate-catch', 'timer-boundary', 'non-interrupting-timer-boundary', 'timer-start',
  'non-interrupting-timer-start', 'event-subprocess', 'expanded-pool', 'sequence-flow', 'default-flow',
  'conditional-flow',
];
const HEADERS_LEFT_OUT = [
  'toggle-parallel-mi', 'toggle-sequential-mi', 'toggle-loop', 'toggle-participant-multiplicity', 'toggle-is-collection',
];
const LAST = 100; // after all the other providers
const VERBS = /^(create|append|replace-with)-/;

const without = (entries, ids) => Object.fromEntries(Object.entries(entries).filter(([ id ]) => !ids.includes(id)));
const offered = id => !VERBS.test(id) || OFFERED.includes(id.replace(VERBS, ''));

class Office {
  static $inject = [
    'palette', 'contextPad', 'popupMenu', 'create', 'elementFactory', 'autoPlace', 'appendPreview', 'translate',
  ];

  constructor(palette, contextPad, popupMenu, create, elementFactory, autoPlace, appendPreview, translate) {
    Object.assign(this, { create, elementFactory, autoPlace, appendPreview, translate });
    palette.registerProvider(LAST, this);
    contextPad.registerProvider(LAST, this);
    for (const menu of [ 'bpmn-create', 'bpmn-append', 'bpmn-replace' ]) {
      popupMenu.registerProvider(menu, LAST, this);
    }
  }

  userTask() {
    return this.elementFactory.createShape({ type: 'bpmn:UserTask' });
  }

  getPaletteEntries() {
    const start = event => this.create.start(event, this.userTask());
    return entries => {
      const kept = without(entries, PALETTE_LEFT_OUT);
      if (kept['create.task']) {
        kept['create.task'] = {
          ...kept['create.task'],
          className: 'bpmn-icon-user-task',
          title: this.translate('Create user task'),
          action: { dragstart: start, click: start },
        };
      }
      return kept;
    };
  }

  getContextPadEntries() {
    const start = (event, element) => this.create.start(event, this.userTask(), { source: element });
    return entries => {
      const kept = without(entries, PAD_LEFT_OUT);
      if (kept['append.append-task']) {
        kept['append.append-task'] = {
          ...kept['append.append-task'],
          className: 'bpmn-icon-user-task',
          title: this.translate('Append user task'),
          action: {
            dragstart: start,
            click: (_, element) => this.autoPlace.append(element, this.userTask()),
            hover: (_, element) => {
              this.appendPreview.create(element, 'bpmn:UserTask');
              return () => this.appendPreview.cleanUp();
            },
          },
        };
      }
      return kept;
    };
  }

  getMultiElementContextPadEntries() {
    return entries => entries;
  }

  getPopupMenuEntries() {
    return entries => Object.fromEntries(Object.entries(entries).filter(([ id ]) => offered(id)));
  }

  getEmptyPlaceholder() {
    return 'Tidak ada yang cocok.';
  }

  getPopupMenuHeaderEntries() {
    return entries => without(entries, HEADERS_LEFT_OUT);
  }
}

export default { __init__: [ 'office' ], office: [ 'type', Office ] };
