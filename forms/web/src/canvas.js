/*
 * How every diagram page moves its view, and with which ink it is drawn. Numbers in px unless said otherwise.
 */
export const ZOOM_STEP = 1.25;
export const READABLE = 0.8; // the least scale at which labels can be read
export const MARGIN = 16; // around a fitted diagram
export const MARK = 48; // kept free below it for the bpmn.io mark

// Ink and paper come from the style sheet, so that a diagram is as light or dark as the page around it. A wheel over
// it scrolls the page, as everywhere else; dragging and the buttons move the diagram.
export function looking(container, prefix = 'diagram') {
  return {
    container,
    bpmnRenderer: {
      defaultFillColor: `var(--${prefix}-paper)`,
      defaultStrokeColor: `var(--${prefix}-ink)`,
      defaultLabelColor: `var(--${prefix}-ink)`,
    },
    zoomScroll: { enabled: false },
    additionalModules: [ OpenModule ],
  };
}

// A subprocess whose steps are drawn is shown open, also where the file does not say so: bpmn-js would fold it away.
class Open {
  static $inject = [ 'eventBus' ];

  constructor(eventBus) {
    eventBus.on('import.parse.complete', ({ definitions }) => {
      for (const { plane } of definitions?.diagrams ?? []) {
        const shapes = plane?.planeElement ?? [];
        const drawn = new Set(shapes.map(one => one.bpmnElement));
        for (const one of shapes) {
          if (one.bpmnElement?.$type === 'bpmn:SubProcess' && one.isExpanded === undefined
              && one.bpmnElement.flowElements?.some(inside => drawn.has(inside))) {
            one.isExpanded = true;
          }
        }
      }
    });
  }
}

export const OpenModule = { __init__: [ 'openSubprocesses' ], openSubprocesses: [ 'type', Open ] };

// The box around an element; of a connection around its points.
export function boxOf(element) {
  if (!element.waypoints) {
    return element;
  }
  const xs = element.waypoints.map(one => one.x);
  const ys = element.waypoints.map(one => one.y);
  const [ x, y ] = [ Math.min(...xs), Math.min(...ys) ];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

// Brings a box to the middle, at a scale at which it can be read.
export function centre(canvas, { x, y, width = 0, height = 0 }) {
  const { outer, scale } = canvas.viewbox();
  if (!outer.width || !outer.height) {
    return; // folded away, or the page is left
  }
  const nearer = Math.max(scale, READABLE);
  canvas.viewbox({
    x: x + width / 2 - outer.width / nearer / 2,
    y: y + height / 2 - outer.height / nearer / 2,
    width: outer.width / nearer,
    height: outer.height / nearer,
  });
}

// The height that a diagram needs at the width it has: for a style sheet that says at most how high.
export function heightOf(inner, across) {
  return `${Math.ceil(inner.height * Math.min(1, (across - 2 * MARGIN) / inner.width)) + MARGIN + MARK}px`;
}

// Like bpmn-js's own 'fit-viewport', but with air around the diagram and none of it under the mark.
export function fitViewport(canvas, { inner, outer } = canvas.viewbox()) {
  if (!outer.width || !outer.height || !inner.width) {
    return; // folded away, or the page is left
  }
  const scale = Math.min(1, (outer.width - 2 * MARGIN) / inner.width, (outer.height - MARGIN - MARK) / inner.height);
  const width = outer.width / scale;
  canvas.viewbox({
    x: inner.x - (width - inner.width) / 2,
    y: inner.y - MARGIN / scale,
    width,
    height: outer.height / scale,
  });
}
