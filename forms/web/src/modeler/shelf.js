/*
 * The copy of unsaved work that this browser keeps (IndexedDB): one a person and draft, what it holds, of which revision
 * and since when. Where the browser keeps nothing (a private window), everything works without it.
 */
const STORE = 'rancangan';

export function openShelf(key) {
  const database = new Promise((resolve, reject) => {
    const asked = indexedDB.open('alur-perancang', 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

  async function run(mode, act) {
    try {
      const store = (await database).transaction(STORE, mode).objectStore(STORE);
      return await new Promise((resolve, reject) => {
        const asked = act(store);
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
      });
    } catch (error) {
      console.info('shelf:', error.message);
      return undefined;
    }
  }

  return {
    /* { xml, revision, at } or undefined */
    look: (name = '') => run('readonly', store => store.get(key + name)),
    keep: (what, name = '') => run('readwrite', store => store.put(what, key + name)),
    clear: (name = '') => run('readwrite', store => store.delete(key + name)),
  };
}
