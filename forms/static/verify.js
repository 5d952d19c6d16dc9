// The SHA-256 of a chosen file, computed on this machine: the file goes nowhere. Without this file, or where the browser
// has no SubtleCrypto (an address without https), the page says how to compute it by hand.
const MOST_BYTES = 256 * 1024 * 1024; // SubtleCrypto takes a file whole: more would be too much for a telephone
const box = document.querySelector("[data-hash]");
const state = document.getElementById("berkas-keadaan");
const input = document.getElementById("sidik");
if (box && window.crypto?.subtle) {
  box.hidden = false;
  let newest = 0; // a second choice overtakes the first
  document.getElementById("berkas").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    const mine = ++newest;
    if (!file) {
      state.textContent = "";
      return;
    }
    if (file.size > MOST_BYTES) {
      state.textContent = state.dataset.large;
      return;
    }
    state.textContent = state.dataset.working;
    try {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      if (mine !== newest) {
        return;
      }
      input.value = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      state.textContent = "";
      input.form.requestSubmit();
    } catch {
      state.textContent = state.dataset.failed;
    }
  });
}
