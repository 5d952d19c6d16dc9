/*
 * A page out of values: `h` says what shall stand there, `patch` changes what stands there as little as possible, so
 * that focus, caret and a click that has begun survive. Texts are text nodes; nothing is ever read as HTML.
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter(one => one || one === 0) };
}

/** Makes the children of `parent` those of `wanted`. A `key` finds a child again wherever it has moved to. */
export function patch(parent, wanted) {
  const before = [ ...parent.childNodes ];
  const keyed = new Map(before.filter(one => one.alurKey !== undefined).map(one => [ one.alurKey, one ]));
  const plain = before.filter(one => one.alurKey === undefined);
  const nodes = wanted.map(one => {
    const key = one.props?.key;
    let node;
    if (key !== undefined) {
      node = keyed.get(key);
      keyed.delete(key);
    } else {
      const at = plain.findIndex(other => fits(other, one));
      node = at >= 0 ? plain.splice(at, 1)[0] : undefined;
    }
    if (!node || !fits(node, one)) {
      node = made(one);
      node.alurKey = key;
    }
    update(node, one);
    return node;
  });
  const kept = new Set(nodes);
  for (const node of before) {
    if (!kept.has(node)) {
      node.remove();
    }
  }
  nodes.forEach((node, n) => {
    if (parent.childNodes[n] !== node) {
      parent.insertBefore(node, parent.childNodes[n] ?? null);
    }
  });
}

function fits(node, wanted) {
  return typeof wanted === 'object' ? node.nodeName === wanted.tag.toUpperCase() : node.nodeType === Node.TEXT_NODE;
}

function made(wanted) {
  return typeof wanted === 'object' ? document.createElement(wanted.tag) : document.createTextNode('');
}

function update(node, wanted) {
  if (typeof wanted !== 'object') {
    if (node.data !== String(wanted)) {
      node.data = String(wanted);
    }
    return;
  }
  const { props } = wanted;
  const had = node.alurProps ?? {};
  for (const name of Object.keys({ ...had, ...props })) {
    if (name.startsWith('on')) {
      listen(node, name.slice(2), props[name]);
    } else if (name !== 'key' && name !== 'value' && name !== 'checked' && had[name] !== props[name]) {
      const value = props[name];
      if (value === undefined || value === null || value === false) {
        node.removeAttribute(name);
      } else {
        node.setAttribute(name, value === true ? '' : value);
      }
    }
  }
  patch(node, wanted.children);
  // What was typed stays until the model says something else; a select has its options by now.
  if (props.value !== undefined && (had.value !== props.value || node.nodeName === 'SELECT')
      && node.value !== props.value) {
    node.value = props.value;
  }
  if (props.checked !== undefined && node.checked !== props.checked) {
    node.checked = props.checked;
  }
  node.alurProps = props;
}

function listen(node, type, run) {
  node.alurRuns ??= {};
  if (!(type in node.alurRuns)) {
    node.addEventListener(type, event => node.alurRuns[type]?.(event));
  }
  node.alurRuns[type] = run;
}
