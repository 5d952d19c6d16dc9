// The form of a task while somebody works on it: what is typed is kept on the server and, until it is there, in this
// browser; files go up one by one; what may be asked and what is missing follows the answers. Without this script the
// same buttons do the same by loading the page again.

import { forget, keep, kept, LARGE_BYTES, Refused, SignedOut, send as sendInParts } from "./uploads.js";
import { trusted } from "./trusted.js";

const form = document.getElementById("tugas");
const said = document.getElementById("draf");
const lacking = document.getElementById("kurang");
const name = `alur.draft.${form.dataset.task}.${form.dataset.person}`;
const works = "works" in form.dataset;
const QUIET_MS = 3000, AGAIN_MS = 15_000;
const LONG_SIDE_PX = 2000; // of a photograph before it is sent
const words = document.documentElement.lang === "en"
  ? { unsent: "Not sent yet. It will be sent when there is a connection.", offline: "There is no connection. What you typed is kept in this browser; press again when there is one.", sending: "Sending", sent: "sent", waiting: "not sent yet", restored: "What you typed in this browser is back.", gone: "This task is no longer open. What you typed is kept.", of: "of", lost: "line lost, it goes on by itself", signin: "sign in again, then load this page again: it goes on", large: "is larger than", over: "This upload is over. Choose the file once more." }
  : { unsent: "Belum terkirim. Akan dikirim saat tersambung.", offline: "Tidak ada sambungan. Isian tersimpan di peramban ini; tekan lagi setelah tersambung.", sending: "Mengirim", sent: "terkirim", waiting: "belum terkirim", restored: "Isian yang belum terkirim dari peramban ini dipulihkan.", gone: "Tugas ini sudah tidak terbuka. Isian Anda tetap tersimpan.", of: "dari", lost: "sambungan terputus, dilanjutkan sendiri", signin: "masuk lagi, lalu muat ulang halaman ini: unggahan dilanjutkan", large: "lebih besar dari", over: "Unggahan ini sudah berakhir. Pilih berkasnya sekali lagi." };

let timer, running = false, again = false, newest = 0;

function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
}

function typed() {
  const data = new FormData(form);
  for (const field of [...data.keys()]) if (field.startsWith("berkas.")) data.delete(field);
  return data;
}

function remember() {
  const entries = [...typed()].filter(([field]) => /^(isian|menyusul|luar)\./.test(field));
  localStorage.setItem(name, JSON.stringify({ at: new Date().toISOString(), entries }));
}

function restore() {
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  if (!kept) return;
  if (form.dataset.saved && new Date(kept.at) <= new Date(form.dataset.saved)) { localStorage.removeItem(name); return; }
  const values = new Map();
  for (const [field, value] of kept.entries) values.set(field, [...(values.get(field) ?? []), value]);
  for (const control of form.elements) {
    if (!values.has(control.name) || control.type === "hidden") continue;
    const value = values.get(control.name);
    if (control.type === "radio" || control.type === "checkbox") control.checked = value.includes(control.value);
    else control.value = value[0];
  }
  said.textContent = words.restored;
  later(0);
}

function later(after = QUIET_MS) {
  clearTimeout(timer);
  timer = setTimeout(save, after);
}

async function save() {
  clearTimeout(timer);
  if (running) { again = true; return; }
  running = true;
  const at = localStorage.getItem(name);
  try {
    const data = typed();
    data.set("key", key());
    const answer = await fetch(form.dataset.draft, { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "manual" });
    if (answer.status === 409) { said.textContent = words.gone; return; }
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    // Kept here only as long as the server has not got it.
    if (localStorage.getItem(name) === at) localStorage.removeItem(name);
  } catch (error) {
    said.textContent = words.unsent;
    if (!/^4/.test(error.message)) later(AGAIN_MS); // a server that starts again is told by no event
  } finally {
    running = false;
    if (again) { again = false; save(); }
  }
}

// What the server says after it kept something: what to show, what is missing. The HTML is its own, escaped there.
function show(state, own = "") {
  // An answer that was on its way while something newer was recorded would show what is no longer so.
  if (state.sequence < newest) return;
  newest = state.sequence ?? newest;
  if (state.saved) said.textContent = state.saved;
  for (const [id, shown] of Object.entries(state.shown ?? {})) {
    for (const part of form.querySelectorAll(`[data-field="${id}"]`)) part.hidden = !shown;
  }
  for (const [id, html] of Object.entries(state.slots ?? {})) {
    const slot = document.getElementById(id);
    const inUse = slot?.contains(document.activeElement);
    if (slot && (id === own || !(inUse || slot.querySelector("[data-sending]")))) {
      const fresh = document.createRange().createContextualFragment(trusted(html.trim())).firstElementChild;
      if (fresh.dataset.is === slot.dataset.is) continue; // somebody may have opened a part of it
      slot.replaceWith(fresh);
      watch(fresh);
      if (inUse) fresh.focus();
    }
  }
  if (lacking && state.lacking !== undefined) {
    const open = lacking.querySelector("details")?.open;
    lacking.replaceChildren(document.createRange().createContextualFragment(trusted(state.lacking)));
    if (open) lacking.querySelector("details")?.setAttribute("open", "");
  }
}

// Files

const queue = [];
let sending = false;

function watch(root) {
  for (const zone of root.querySelectorAll("[data-slot]")) {
    zone.querySelector("input[type=file]")?.addEventListener("change", (event) => {
      const files = [...event.target.files];
      if (!files.length) return;
      event.target.value = "";
      add({ key: key(), slot: zone.dataset.slot, files, ids: {} });
    });
  }
}

function add(job) {
  const zone = zoneOf(job.slot);
  if (!zone) { forget(job.key); return; } // nothing may be attached there any more
  Object.assign(job, { task: form.dataset.task, person: form.dataset.person, line: line(zone, job.files) });
  const most = Number(form.dataset.most);
  const large = job.files.find((one) => one.size > most && !/^image\/(jpeg|png)$/.test(one.type));
  if (large) { refuse(job, `${large.name} ${words.large} ${Math.floor(most / 1e6)} MB.`); return; }
  queue.push(job);
  if (job.files.some((one) => one.size > LARGE_BYTES)) keep(job);
  send();
}

// Found anew each time: what the server says of a slot replaces it on the page.
function zoneOf(slot) {
  return form.querySelector(`[data-slot="${CSS.escape(slot)}"]`);
}

function refuse(job, problem) {
  forget(job.key);
  delete job.line.part.parentElement?.dataset.sending;
  job.line.bar.remove();
  job.line.text.textContent = problem;
  job.line.part.className = "error";
}

function line(zone, files) {
  const place = zone.querySelector(".sending");
  place.dataset.sending = "";
  const text = document.createElement("span");
  text.textContent = `${files.map((one) => one.name).join(", ")}: ${words.waiting} `;
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  bar.setAttribute("aria-label", words.sending);
  const part = document.createElement("p");
  part.append(text, bar);
  place.append(part);
  return { part, text, bar };
}

const SOON_MS = 2000, LATEST_MS = 30_000;
let wait = SOON_MS, again_at;

async function send() {
  if (sending) return;
  sending = true;
  clearTimeout(again_at);
  while (queue.length) {
    const job = queue[0];
    job.small ??= await Promise.all(job.files.map(smaller));
    try {
      if (!(await parts(job) && await upload(job))) { // stays first, until there is a connection
        again_at = setTimeout(send, wait);
        wait = Math.min(wait * 2, LATEST_MS);
        break;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refuse(job, error.message);
    }
    queue.shift();
    wait = SOON_MS;
  }
  sending = false;
}

// The large ones of a job go up in parts first. Whether they are there; if not, it is tried again by itself.
async function parts(job) {
  const names = job.files.map((one) => one.name).join(", ");
  const large = [...job.small.entries()].filter(([, file]) => file.size > LARGE_BYTES);
  const all = large.reduce((sum, [, file]) => sum + file.size, 0);
  const megabytes = (bytes) => Math.floor(bytes / 1e6);
  let before = 0;
  for (const [place, file] of large) {
    const at = { begin: form.dataset.parts.replace(/-$/, encodeURIComponent(job.slot)), csrf: form.elements.csrf_token.value, key: job.key, gone: words.over };
    const tell = (bytes) => {
      job.line.bar.value = (before + bytes) / all;
      job.line.text.textContent = `${names}: ${megabytes(before + bytes)} ${words.of} ${Math.ceil(all / 1e6)} MB `;
    };
    try {
      job.ids[place] = await sendInParts(file, at, job.ids[place], (id) => { job.ids[place] = id; return keep(job); }, tell);
    } catch (error) {
      if (error instanceof Refused) throw error;
      job.line.text.textContent = `${names}: ${error instanceof SignedOut ? words.signin : words.lost} `;
      return false;
    }
    before += file.size;
  }
  return true;
}

function upload(job) {
  const slot = job.slot, zone = zoneOf(slot);
  const data = typed();
  data.set("key", job.key);
  if (!zone) { refuse(job, words.gone); return Promise.resolve(true); }
  for (const [place, file] of job.small.entries()) {
    if (job.ids[place]) data.append(`unggahan.${slot}`, job.ids[place]);
    else data.append(`berkas.${slot}`, file, file.name);
  }
  const address = zone.querySelector("button[formaction]").formAction;
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable && !job.ids[0]) job.line.bar.value = event.loaded / event.total; });
    request.addEventListener("load", () => {
      const state = request.response;
      if (!state || (request.status >= 500 && request.status !== 507) || request.status === 401) { fail(); return; }
      forget(job.key);
      delete job.line.part.parentElement?.dataset.sending;
      job.line.bar.remove();
      job.line.text.textContent = state.problems?.length ? state.problems.join(" ") : `${job.files.map((one) => one.name).join(", ")}: ${words.sent}`;
      if (state.problems?.length) job.line.part.className = "error";
      show(state.problems?.length ? { ...state, slots: {} } : state, zone.closest(".slot").id);
      done(true);
    });
    const fail = () => { job.line.bar.value = 0; said.textContent = words.unsent; done(false); };
    request.addEventListener("error", fail);
    request.addEventListener("timeout", fail);
    request.send(data);
  });
}

// A photograph from a telephone has ten times the pixels that a page of paper needs.
async function smaller(file) {
  if (!/^image\/(jpeg|png)$/.test(file.type)) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = LONG_SIDE_PX / Math.max(picture.width, picture.height);
    if (scale >= 1) return file;
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}

for (const one of form.querySelectorAll(".no-js")) one.hidden = true;
watch(form);
kept(form.dataset.task, form.dataset.person).then((begun) => begun.forEach(add));
if (works) {
  restore();
  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    remember();
    // A choice may show other questions: it does not wait.
    later(event.target.matches("input[type=radio], input[type=checkbox], select") ? 0 : QUIET_MS);
  });
  // A name in the list and another one beside it cannot both be meant.
  form.addEventListener("change", (event) => {
    const beside = event.target.matches("[data-person]") && event.target.value && event.target.parentElement.querySelector("input");
    if (beside) beside.value = "";
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (navigator.onLine) return;
    event.preventDefault(); // the browser's own page about the line would stand where the form was
    remember();
    said.textContent = words.offline;
  });
}
window.addEventListener("online", () => { send(); if (localStorage.getItem(name)) save(); });
window.addEventListener("beforeunload", (event) => { if (queue.length) event.preventDefault(); });
