/*
 * What the canvas asks the server: connect(page) gives
 *
 *   url(what)                     the address of one part of this draft: isi, temuan, hadir, pratinjau, ...
 *   load()                        -> { xml, revision }
 *   save(xml, revision)           -> { revision, saved_at, saved_by, findings }
 *   keepAsNew(xml)                -> { address } of a draft of one's own
 *   findings(xml, signal)         -> [{ severity, element, line, message }], what deployment would say
 *   check(expression, element, names) -> { ok, message } of a FEEL expression at its element; names: fields drawn just now
 *   preview(xml, element)         -> Document, the task page as its performer will see it
 *   here()                        -> who else has this draft open, and what is stored now
 *
 * Whatever fails throws a Trouble: `kind` is offline, signed_out, conflict, refused or broken; `answer` what was said.
 */
export class Trouble extends Error {
  constructor(kind, message, answer = {}) {
    super(message);
    this.kind = kind;
    this.answer = answer;
  }
}

const KINDS = { 401: 'signed_out', 403: 'refused', 404: 'refused', 409: 'conflict', 413: 'refused', 422: 'refused' };
const XML = 'application/xml';

export function connect(page) {
  const { urls } = page;
  let token = page.csrf;

  function url(what) {
    return urls[what];
  }

  async function ask(address, { method = 'GET', body, type, headers = {}, signal } = {}) {
    const changes = method !== 'GET';
    let response;
    try {
      response = await fetch(address, {
        method,
        body,
        signal,
        credentials: 'same-origin',
        headers: {
          ...(type && { 'Content-Type': type }),
          ...(changes && { 'X-CSRFToken': token }),
          Accept: 'application/json',
          ...headers,
        },
      });
    } catch (error) {
      if (error.name === 'AbortError') {
        throw error;
      }
      throw new Trouble('offline', 'Server tidak terjangkau.');
    }
    // A sign-in page instead of the answer: the session ended, and the browser followed where it was sent.
    if (response.redirected) {
      throw new Trouble('signed_out', 'Sesi Anda sudah berakhir.');
    }
    if (!response.ok) {
      const json = response.headers.get('Content-Type')?.includes('json');
      const answer = json ? await response.json() : {};
      // A key of before the last sign-in is refused as 400; the next look (`here`) brings the new one.
      const kind = response.status === 400 ? 'signed_out' : KINDS[response.status] ?? 'broken';
      throw new Trouble(kind, answer.message ?? 'Server tidak dapat melayani permintaan ini.', answer);
    }
    return response;
  }

  const send = (address, body, type, more = {}) => ask(address, { method: 'POST', body, type, ...more });
  const sendJson = (address, value) => send(address, JSON.stringify(value), 'application/json');
  const json = async response => (await response).json();

  return {
    url,
    async load() {
      const response = await ask(url('isi'), { headers: { Accept: XML } });
      return { xml: await response.text(), revision: revisionOf(response) };
    },
    save: (xml, revision) => json(ask(url('isi'), {
      method: 'PUT', body: xml, type: XML, headers: { 'If-Match': `"${revision}"` },
    })),
    keepAsNew: xml => json(send(url('isi'), xml, XML)),
    async findings(xml, signal) {
      return (await json(send(url('temuan'), xml, XML, { signal }))).findings;
    },
    check: (expression, element, names = []) =>
      json(sendJson(url('ungkapan'), { expression, element, names, id: page.id })),
    async preview(xml, element) {
      const response = await sendJson(url('pratinjau'), { xml, element });
      return new DOMParser().parseFromString(await response.text(), 'text/html');
    },
    async here() {
      const found = await json(ask(url('hadir')));
      if (found.person === page.person) {
        token = found.csrf;
      }
      return found;
    },
  };
}

function revisionOf(response) {
  return Number(response.headers.get('ETag')?.replace(/\D/g, ''));
}
