/**
 * Asks the admin API, with the token that this tab keeps until it is closed. Gives every answer as a value; what is
 * no answer at all (no network, an answer that is not JSON) is one with status 0 and a sentence.
 */
const TOKEN = 'trakx-admin-token';

/**
 * @typedef {object} Answer
 * @property {number} status 0 when there was none
 * @property {Record<string, any>} body with `error` when the status is none of 2xx
 * @property {number} retrySeconds how long to wait before the next try, where the answer says so
 */

export class AdminClient {
  /** @returns {boolean} whether there is a token, right or wrong */
  get hasToken() {
    return sessionStorage.getItem(TOKEN) !== null;
  }

  /** @param {string} token */
  keepToken(token) {
    sessionStorage.setItem(TOKEN, token);
  }

  forgetToken() {
    sessionStorage.removeItem(TOKEN);
  }

  /**
   * @param {string} method
   * @param {string} path below /admin/
   * @param {string} [lines] a body of text
   * @returns {Promise<Answer>}
   */
  async ask(method, path, lines) {
    const headers = new Headers({ Authorization: `Bearer ${sessionStorage.getItem(TOKEN)}` });
    if (lines !== undefined) headers.set('Content-Type', 'text/plain; charset=utf-8');
    try {
      const response = await fetch(`/admin/${path}`, {
        method,
        headers,
        body: lines ?? null,
        cache: 'no-store',
      });
      const retrySeconds = Number(response.headers.get('Retry-After') ?? 0);
      return { status: response.status, body: await response.json(), retrySeconds };
    } catch {
      return { status: 0, body: { error: 'The tracker did not answer.' }, retrySeconds: 0 };
    }
  }
}
