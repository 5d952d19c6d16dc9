// The table of an SOP while its owner types: kept on the server after a pause and, until it is there, in this browser.
// Buttons that change the table change it without loading the page. Without this script they load it again.

import { trusted } from "./trusted.js";

const QUIET_MS = 2500;
const LOOK_MS = 20000;

const form = document.getElementById("tabel-sop");
if (form && "works" in form.dataset) edit(form);
for (const field of document.querySelectorAll("[data-paste]")) field.addEventListener("paste", paste);

function edit(form) {
  const said = document.getElementById("tersimpan");
  const words = JSON.parse(form.dataset.words);
  const name = `alur.draft.tabel.${form.dataset.id}.${form.dataset.person}`;
  const part = () => document.getElementById("tabel-isi");
  let timer, busy = Promise.resolve(true), newest = 0, stopped = false, built = 0;
  const first = entries().toString();

  function entries() {
    const data = [...new FormData(form)].filter(([field]) => !["csrf_token", "key", "oleh", "aksi", "revisi"].includes(field));
    return new URLSearchParams(data);
  }

  function remember() {
    newest += 1;
    const kept = { revision: form.elements.revisi.value, entries: [...entries()] };
    try { localStorage.setItem(name, JSON.stringify(kept)); } catch { /* a full or closed store: the server has it soon */ }
  }

  function typed(after = QUIET_MS) {
    remember();
    if (stopped) return;
    said.textContent = words.typing;
    clearTimeout(timer);
    timer = setTimeout(save, after);
  }

  // One request at a time: each is judged against the revision that the one before it made.
  function save() {
    clearTimeout(timer);
    busy = busy.then(keep, keep);
    return busy;
  }

  async function keep() {
    if (stopped) return false;
    const at = newest, shape = built;
    const data = new FormData(form);
    data.set("aksi", "simpan");
    said.textContent = words.saving;
    let answer, state;
    try {
      answer = await fetch(location.pathname, { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "manual" });
      state = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : null;
    } catch {
      said.textContent = words.unsent;
      return false;
    }
    if (!state) { said.textContent = [400, 401].includes(answer.status) ? words.over : words.unsent; return false; }
    if (answer.status === 409) { overtaken(state.said); return false; }
    if (shape === built) show(state);
    if (state.said && at === newest) said.textContent = state.said;
    if (!answer.ok) return false;
    form.elements.revisi.value = state.revision;
    document.getElementById("rancangan-tersimpan").textContent = state.head;
    document.getElementById("rancangan-terhadap").textContent = state.against;
    if (at === newest) { localStorage.removeItem(name); delete part().dataset.unsaved; }
    document.getElementById("diagram")?.dispatchEvent(new Event("diagram:reload"));
    return state.problems.length === 0;
  }

  function show(state) {
    const control = (id) => document.getElementById(id);
    state.norms?.forEach((norm, n) => {
      const place = control(`baris-${n}-norma`);
      if (place) { place.textContent = norm.text; place.classList.toggle("warning", norm.look !== ""); }
    });
    state.elements?.forEach((id, n) => { const field = form.elements[`baris.${n}.elemen`]; if (field) field.value = id; });
    state.performers?.forEach((id, n) => { const field = form.elements[`pelaksana.${n}.id`]; if (field) field.value = id; });
    state.names?.forEach((text, n) => { const field = control(`baris-${n}-nama`); if (field && !field.value.trim()) field.value = text; });
    for (const list of form.querySelectorAll(".sop-row ul.error")) list.replaceChildren();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const row of form.querySelectorAll(".sop-row.wrong")) row.classList.remove("wrong");
    for (const { place, message } of state.problems ?? []) {
      const field = control(place), row = field?.closest(".sop-row");
      if (field?.type !== "radio") field?.setAttribute("aria-invalid", "true");
      row?.classList.add("wrong");
      const fold = row?.querySelector("[data-fold]");
      if (fold) fold.checked = true;
      row?.querySelector("ul.error").append(Object.assign(document.createElement("li"), { textContent: message }));
      if (!row) said.textContent = message;
    }
    const box = document.getElementById("galat"); // what the page was drawn with; it is answered row by row from now on
    if (box && state.problems?.length === 0) box.remove();
    const whole = (state.problems ?? []).find(({ place }) => !place.startsWith("baris-"));
    if (whole) state.said = whole.message;
  }

  function overtaken(text) {
    stopped = true;
    clearTimeout(timer);
    const box = document.getElementById("bentrok");
    box.querySelector("p").textContent = text;
    box.hidden = false;
    box.scrollIntoView({ block: "center" });
    said.textContent = words.typing;
  }

  // The server draws the table as it is after a button; only what stands in the page is exchanged.
  async function redraw(data) {
    clearTimeout(timer);
    await busy;
    data.set("revisi", form.elements.revisi.value); // what was on its way has arrived by now
    try {
      const answer = await fetch(location.pathname, { method: "POST", body: data, headers: { Accept: "text/html" }, redirect: "manual" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(trusted(await answer.text()), "text/html");
      const open = [...part().querySelectorAll("details.identity[open]")].length;
      const unfolded = [...part().querySelectorAll("[data-fold]:checked")].map((box) => box.closest("th").querySelector("input").value);
      part().replaceWith(document.adoptNode(page.getElementById("tabel-isi")));
      if (open) part().querySelector("details.identity").open = true;
      for (const box of part().querySelectorAll("[data-fold]")) {
        const element = box.closest("th").querySelector("input").value;
        if (element && unfolded.includes(element)) box.checked = true;
      }
      built += 1;
      part().querySelector("[autofocus]")?.focus();
      return true;
    } catch {
      said.textContent = words.unsent;
      return false;
    }
  }

  form.addEventListener("input", (event) => {
    const n = event.target.dataset.performer;
    if (n !== undefined) for (const place of form.querySelectorAll(`[data-named="${n}"]`)) place.textContent = event.target.value || "…";
    typed();
  });

  form.addEventListener("submit", async (event) => {
    const act = event.submitter?.value ?? "simpan";
    if (act === "salin") { localStorage.removeItem(name); return; }
    event.preventDefault();
    if (/^(baris|pelaksana)\./.test(act)) {
      const data = new FormData(form);
      data.set("aksi", act);
      if (await redraw(data)) typed();
    } else if (await save() && act === "periksa") {
      location.assign(form.dataset.check);
    }
  });

  // What was typed and never reached the server, because the browser or the line broke.
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  const offer = document.getElementById("pulihkan");
  if (kept && new URLSearchParams(kept.entries).toString() !== first) {
    offer.hidden = false;
    offer.querySelector("[data-forget]").addEventListener("click", () => { localStorage.removeItem(name); offer.hidden = true; });
    offer.querySelector("[data-restore]").addEventListener("click", async () => {
      const data = new FormData();
      for (const field of ["csrf_token", "key", "oleh"]) if (form.elements[field]) data.set(field, form.elements[field].value);
      for (const [field, value] of kept.entries) data.append(field, value);
      data.set("revisi", kept.revision);
      data.set("aksi", "pulihkan");
      form.elements.revisi.value = kept.revision;
      if (!await redraw(data)) return;
      offer.hidden = true;
      typed();
      said.textContent = words.restored;
    });
  } else if (kept) {
    localStorage.removeItem(name);
  }
  if ("unsaved" in part().dataset) remember();

  window.addEventListener("online", () => { if (localStorage.getItem(name)) save(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && timer && localStorage.getItem(name) && !stopped && offer.hidden) save(); });
  look();
  setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);

  // Says that this person is here, and learns who else is.
  async function look() {
    const there = document.getElementById("lain");
    try {
      const answer = await fetch(form.dataset.here, { headers: { Accept: "application/json" } });
      const { others } = await answer.json();
      there.hidden = others.length === 0;
      there.textContent = words.others.replace("{names}", others.map((one) => one.name).join(", "));
    } catch { /* without a connection nobody knows; saving says so */ }
  }
}

// What Word and Excel put on the clipboard is a table: its cells come over as cells, whatever stands in them.
function paste(event) {
  const html = event.clipboardData?.getData("text/html") ?? "";
  if (!/<table[\s>]/i.test(html)) return;
  event.preventDefault();
  const page = new DOMParser().parseFromString(trusted(html), "text/html");
  const lines = [];
  for (const block of page.body.querySelectorAll("tr, p, h1, h2, h3, li")) {
    if (block.localName === "tr") lines.push(row(block));
    else if (!block.closest("tr")) lines.push(text(block));
  }
  const field = event.target;
  field.setRangeText(lines.join("\n"), field.selectionStart, field.selectionEnd, "end");
}

function row(tr) {
  const cells = [];
  for (const cell of tr.cells) {
    const words = text(cell);
    cells.push(/["\n\t]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
    for (let n = 1; n < Math.min(cell.colSpan, 60); n += 1) cells.push("");
  }
  return cells.join("\t");
}

function text(node) {
  const words = node.ownerDocument.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) words.currentNode.data = words.currentNode.data.replace(/\s+/g, " "); // a break is a <br>
  for (const one of node.querySelectorAll("br")) one.replaceWith("\n");
  const blocks = [...node.querySelectorAll("p, li, div")].filter((one) => !one.querySelector("p, li, div"));
  const parts = blocks.length ? blocks.map((one) => one.textContent) : [node.textContent];
  return parts.map((one) => one.split("\n").map((line) => line.trim()).join("\n").trim()).filter(Boolean).join("\n");
}
