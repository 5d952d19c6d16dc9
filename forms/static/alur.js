// What every page may use; each of these only adds to a page that works without it.

const drafts = "alur.draft.";

function forget(test) {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(drafts) && test(name)) localStorage.removeItem(name);
  }
}

// The error summary is read first, and a link in it puts the cursor into the field.
const summary = document.getElementById("galat");
if (summary) summary.focus();

// Without https, or where it is not allowed, a browser gives its clipboard only to the older way.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.textContent = button.dataset.copied;
  });
}

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());

// What was kept in this browser goes when it is no longer needed: the task is done, or the person leaves.
for (const message of document.querySelectorAll("[data-done]")) forget((name) => name.startsWith(`${drafts}${message.dataset.done}.`));
for (const form of document.querySelectorAll("[data-signs-out]")) form.addEventListener("submit", () => { forget(() => true); indexedDB.deleteDatabase("alur"); });

// The diagram comes when it is looked at: on a phone it is far down, and large.
const diagram = document.getElementById("diagram");
if (diagram?.dataset.js) {
  const load = () => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: diagram.dataset.css });
    document.head.append(sheet);
    import(diagram.dataset.js).then(
      // A small one shows where the reader is; the whole of it could not be read.
      () => { if ("small" in diagram.dataset) document.querySelector("[data-diagram-zoom=active]")?.click(); },
      () => { diagram.textContent = diagram.dataset.failed; },
    );
  };
  const watch = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) { watch.disconnect(); load(); }
  }, { rootMargin: "200px" });
  watch.observe(diagram);
}
