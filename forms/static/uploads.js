// Large files over bad lines: sent in parts, on from where they stopped, also after this page was loaded again. What is
// still to be sent is kept in this browser until the server has it, and no longer than a day.

export const LARGE_BYTES = 1_000_000;
const KEPT_MS = 24 * 3600 * 1000;
const NAME = "alur", STORE = "unggahan";

export class Refused extends Error {} // the server said no, in a sentence; sending it again would not help
export class SignedOut extends Error {} // what was begun waits in this browser until the person is here again

function database() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

// A browser that keeps nothing (a private window) sends all the same; only a new page would not go on.
async function within(mode, act) {
  try {
    const held = await database();
    try {
      return await new Promise((done, failed) => {
        const asked = act(held.transaction(STORE, mode).objectStore(STORE));
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      });
    } finally {
      held.close();
    }
  } catch {
    return undefined;
  }
}

export function keep(job) {
  const { key, task, person, slot, files, ids } = job;
  return within("readwrite", (store) => store.put({ key, task, person, slot, files, ids, at: job.at ?? Date.now() }));
}

export function forget(key) {
  return within("readwrite", (store) => store.delete(key));
}

// What this person had begun to send to this task; what is older than a day goes, whoever's it is.
export async function kept(task, person) {
  const all = (await within("readonly", (store) => store.getAll())) ?? [];
  const old = all.filter((one) => one.at < Date.now() - KEPT_MS);
  for (const one of old) await forget(one.key);
  return all.filter((one) => !old.includes(one) && one.task === task && one.person === person);
}

async function asked(address, options) {
  const answer = await fetch(address, { ...options, redirect: "manual", headers: { Accept: "application/json", ...options.headers } });
  const state = await answer.json().catch(() => null);
  if (answer.ok || (answer.status === 409 && state?.offset !== undefined)) return state;
  if (answer.status === 404) return null;
  if (state?.problem) throw new Refused(state.problem);
  if (answer.status === 401 || answer.status === 400) throw new SignedOut();
  throw new Error(String(answer.status));
}

// Send one file; its id when the server has all of it. An error is a lost line: called again, it goes on.
//   at       {begin: address, csrf, key}
//   id       of what was begun before, if anything was
//   began    called with the id as soon as there is one
//   tell     called with the bytes that the server has
export async function send(file, at, id, began, tell) {
  const headers = { "X-CSRFToken": at.csrf };
  let state = id ? await asked(`/unggahan/${id}`, { headers }) : null;
  if (!state) {
    const body = new URLSearchParams({ nama: file.name, ukuran: String(file.size), key: at.key, csrf_token: at.csrf });
    state = await asked(at.begin, { method: "POST", body });
    if (!state) throw new Error("404");
    await began(state.id);
  }
  tell(state.offset);
  while (state.offset < file.size) {
    const body = await file.slice(state.offset, state.offset + state.part).arrayBuffer();
    const next = await asked(state.address, { method: "PATCH", body, headers: { ...headers, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(state.offset) } });
    if (!next) throw new Refused(at.gone);
    state = next;
    tell(state.offset);
  }
  return state.id;
}
