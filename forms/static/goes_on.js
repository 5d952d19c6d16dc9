// A long work that is done piece by piece: the form that asks for the next piece sends itself. Without this file somebody
// presses its button.
const form = document.querySelector("form[data-goes-on]");
if (form) {
  const go = setTimeout(() => form.requestSubmit(), 300);
  form.addEventListener("submit", () => {
    clearTimeout(go);
    form.querySelector("button").disabled = true;
  });
}
