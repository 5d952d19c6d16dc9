/*
 * Passkeys: a button with data-passkey asks the browser for one ("get") or makes one ("create"), puts the answer into
 * the form's field `jawaban` and sends the form. Where the browser knows no passkeys the button stays hidden, and the
 * page offers its other ways. The server makes and judges everything; this only turns bytes into text and back.
 */
const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const known = list => (list ?? []).map(one => ({ ...one, id: bytes(one.id) }));

async function asked(options) {
  const found = await navigator.credentials.get({ publicKey: {
    ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials),
  } });
  const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
  return answer(found, {
    authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON), signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  });
}

async function made(options) {
  const found = await navigator.credentials.create({ publicKey: {
    ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  } });
  const { attestationObject, clientDataJSON } = found.response;
  return answer(found, { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON) });
}

function answer(found, response) {
  return JSON.stringify({
    id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {},
    authenticatorAttachment: found.authenticatorAttachment ?? null,
  });
}

for (const button of window.PublicKeyCredential ? document.querySelectorAll('[data-passkey]') : []) {
  const { form } = button;
  button.hidden = false;
  button.addEventListener('click', async event => {
    event.preventDefault();
    const problem = form.querySelector('[data-passkey-problem]');
    problem.hidden = true;
    button.disabled = true;
    try {
      form.elements.jawaban.value = await (button.dataset.passkey === 'create' ? made : asked)(
        JSON.parse(button.dataset.options));
    } catch {
      // Cancelled by the person, or unknown to this device: said in the page's own words.
      problem.textContent = button.dataset.problem;
      problem.hidden = false;
      return;
    } finally {
      button.disabled = false;
    }
    const sent = document.createElement('button');
    sent.hidden = true;
    sent.formNoValidate = button.formNoValidate;
    if (button.hasAttribute('formaction')) {
      sent.setAttribute('formaction', button.getAttribute('formaction'));
    }
    form.append(sent);
    sent.click();
  });
}
