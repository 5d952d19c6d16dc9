/*
 * For a draft that may only be looked at (proposed, somebody else's, an older revision): the canvas moves and shows, and
 * nothing of the diagram changes. The server would refuse it too.
 */
import RuleProvider from 'diagram-js/lib/features/rules/RuleProvider';

const FIRST = 100_000; // before every other rule
const LAST = 1; // after every other provider, the office's too
const RULES = [
  'bpmnElement.copyPaste', 'connection.create', 'connection.reconnect', 'connection.start', 'connection.updateWaypoints',
  'element.autoResize', 'element.copy', 'element.paste', 'elements.create', 'elements.delete', 'elements.move',
  'shape.append', 'shape.attach', 'shape.create', 'shape.replace', 'shape.resize',
];

class OnlyLook extends RuleProvider {
  static $inject = [ 'eventBus', 'palette', 'contextPad', 'commandStack' ];

  constructor(eventBus, palette, contextPad, commandStack) {
    super(eventBus);
    palette.registerProvider(LAST, this);
    contextPad.registerProvider(LAST, this);
    eventBus.on([ 'element.dblclick', 'directEditing.activate', 'create.init' ], FIRST, () => false);
    commandStack.execute = () => {}; // whatever still tries to change it
  }

  init() {
    for (const rule of RULES) {
      this.addRule(rule, FIRST, () => false);
    }
  }

  getPaletteEntries() {
    return () => ({});
  }

  getContextPadEntries() {
    return () => ({});
  }

  getMultiElementContextPadEntries() {
    return () => ({});
  }
}

/* The panel shows what it says and takes nothing; what only opens and closes goes on doing so. */
export function onlyRead(panel) {
  const refuse = event => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  panel.addEventListener('beforeinput', refuse, true);
  for (const kind of [ 'mousedown', 'click', 'keydown' ]) {
    panel.addEventListener(kind, event => {
      const control = event.target.closest('select, input[type=checkbox], input[type=radio], button');
      const looks = control?.matches('button[aria-expanded], button[aria-haspopup]');
      if (control && !looks && event.key !== 'Tab') {
        refuse(event);
      }
    }, true);
  }
}

export default { __init__: [ 'onlyLook' ], onlyLook: [ 'type', OnlyLook ] };
