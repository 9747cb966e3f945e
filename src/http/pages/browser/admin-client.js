/**
 * Asks the admin API, with the token that this tab keeps until it is closed. Gives every answer as a value; what is
 * no answer at all (no network, an answer that is not JSON) is one with status 0 and a sentence.
 */
const TOKEN = 'trakx-admin-token';
/** What every ADMIN_TOKEN is made of; a header could not carry all else. */
const TOKEN_CHARACTERS = /^[\x21-\x7e]+$/;

/**
 * @typedef {object} Answer
 * @property {number} status 0 when there was none
 * @property {Record<string, any>} body with `error` when the status is none of 2xx
 * @property {number} retrySeconds how long to wait before the next try, where the answer says so
 */

/**
 * @param {string} token
 * @returns {string} why it cannot be right, empty when it may be
 */
export function tokenProblem(token) {
  if (TOKEN_CHARACTERS.test(token)) return '';
  return 'That cannot be the token: there is a character in it that no token has. Allowed are visible ASCII characters without spaces; one that was copied may hold a curly quote, or something that cannot be seen.';
}

export class AdminClient {
  /** The token that is kept, right or wrong; null when there is none. */
  get token() {
    return sessionStorage.getItem(TOKEN);
  }

  /** @param {string} token in which `tokenProblem` finds nothing */
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
    try {
      const headers = new Headers({ Authorization: `Bearer ${this.token}` });
      if (lines !== undefined) headers.set('Content-Type', 'text/plain; charset=utf-8');
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
