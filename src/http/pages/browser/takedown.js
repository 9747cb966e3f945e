/**
 * Bans what was pasted: a thousand lines at a time, so that it is seen how far it has come, and what was done before
 * something failed stays done and known.
 */
export const LINES_AT_ONCE = 1_000;
const TRIES_MAX = 5;
/** Who is to wait for longer is told so instead. */
const WAIT_SECONDS_MAX = 60;

/** @typedef {'banned' | 'banned-before' | 'not-stored'} HashState */

/**
 * @typedef {object} Takedown
 * @property {Map<string, HashState>} states by info hash, in the order of the lines
 * @property {number[]} invalidLines numbers, from 1, of lines that hold no info hash
 * @property {string} reason
 * @property {number} linesDone
 * @property {number} linesTotal
 * @property {string | undefined} error why it ended before its end
 */

/**
 * @param {import('./admin-client.js').AdminClient} client
 * @param {string} text
 * @param {string} reason
 * @param {(takedown: Takedown, note: string) => void} onProgress
 * @returns {Promise<Takedown>}
 */
export async function takeDown(client, text, reason, onProgress) {
  const lines = text.replace(/\s+$/, '').split('\n');
  /** @type {Takedown} */
  const takedown = {
    states: new Map(),
    invalidLines: [],
    reason,
    linesDone: 0,
    linesTotal: lines.length,
    error: undefined,
  };
  while (takedown.linesDone < lines.length && takedown.error === undefined) {
    onProgress(takedown, '');
    const some = lines.slice(takedown.linesDone, takedown.linesDone + LINES_AT_ONCE);
    const answer = await banSome(client, some, reason, (note) => onProgress(takedown, note));
    takedown.error = note(takedown, answer);
    if (takedown.error === undefined) takedown.linesDone += some.length;
  }
  return takedown;
}

/**
 * @param {import('./admin-client.js').AdminClient} client
 * @param {readonly string[]} lines
 * @param {string} reason
 * @param {(note: string) => void} onWait
 */
async function banSome(client, lines, reason, onWait) {
  const path = `bans?results=yes&reason=${encodeURIComponent(reason)}`;
  for (let tries = 1; ; tries++) {
    const answer = await client.ask('POST', path, lines.join('\n'));
    const isWorthWaiting = answer.status === 429 && answer.retrySeconds <= WAIT_SECONDS_MAX;
    if (!isWorthWaiting || tries === TRIES_MAX) return answer;
    onWait(`The tracker asks to wait ${answer.retrySeconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, answer.retrySeconds * 1_000));
  }
}

/**
 * Writes down what an answer says of its lines.
 *
 * @param {Takedown} takedown
 * @param {import('./admin-client.js').Answer} answer
 * @returns {string | undefined} why nothing of it was done
 */
function note(takedown, { status, body }) {
  const isEnforced = status === 200 || body.enforced === true;
  // Of these lines none holds a hash; there may be others.
  const isAllInvalid = status === 400 && Array.isArray(body.invalid);
  if (!isEnforced && !isAllInvalid) return body.error;
  for (const number of body.invalid) takedown.invalidLines.push(takedown.linesDone + number);
  for (const { infoHash, state } of body.results ?? []) {
    if (takedown.states.has(infoHash)) continue;
    const banned = status === 200 ? 'banned' : 'not-stored';
    takedown.states.set(infoHash, state === 'added' ? banned : 'banned-before');
  }
  return undefined;
}
