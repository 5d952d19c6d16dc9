/*
 * Applies data-s, which build.mjs puts where a package writes style="..." (the content policy refuses that), through the
 * CSSOM, which the policy leaves alone. Must be imported before anything draws.
 */
new MutationObserver(changes => {
  for (const { addedNodes } of changes) {
    addedNodes.forEach(apply);
  }
}).observe(document.documentElement, { childList: true, subtree: true });

function apply(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    return;
  }
  for (const one of [ node, ...node.querySelectorAll('[data-s]') ]) {
    if (one.dataset?.s) {
      one.style.cssText = one.dataset.s;
      one.removeAttribute('data-s');
    }
  }
}
