/**
 * Bans what was pasted: a thousand lines at a time, so that it is seen how far it has come, and what was done before
 * something failed stays done and known. One that failed is gone on with: its lines go on counting, and in the end all
 * that it did stands in one receipt.
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
 * @property {string} remainder the lines that are still to be done
 * @property {string | undefined} error why it ended before its end
 */

/**
 * @param {string} reason
 * @param {number} bytesMax
 * @returns {string} why the tracker would not take it, empty when it would
 */
export function reasonProblem(reason, bytesMax) {
  const bytes = new TextEncoder().encode(reason.trim()).length;
  if (bytes <= bytesMax) return '';
  return `The reason may have up to ${bytesMax} bytes, and has ${bytes}: most letters other than a to z take two or more.`;
}

/**
 * @param {import('./admin-client.js').AdminClient} client
 * @param {string} text
 * @param {string} reason
 * @param {(takedown: Takedown, note: string) => void} onProgress
 * @param {Takedown} [last] gone on with when `text` begins with what is left of it
 * @returns {Promise<Takedown>}
 */
export async function takeDown(client, text, reason, onProgress, last) {
  const lines = withoutEnd(text).split('\n');
  const before = last !== undefined && holdsRemainder(text, last) ? last : undefined;
  const linesBefore = before?.linesDone ?? 0;
  /** @type {Takedown} */
  const takedown = {
    states: new Map(before?.states),
    invalidLines: [...(before?.invalidLines ?? [])],
    reason: bothReasons(before?.reason ?? '', reason),
    linesDone: linesBefore,
    linesTotal: linesBefore + lines.length,
    remainder: '',
    error: undefined,
  };
  while (takedown.linesDone < takedown.linesTotal && takedown.error === undefined) {
    onProgress(takedown, '');
    const from = takedown.linesDone - linesBefore;
    const some = lines.slice(from, from + LINES_AT_ONCE);
    const answer = await banSome(client, some, reason, (note) => onProgress(takedown, note));
    takedown.error = note(takedown, answer);
    if (takedown.error === undefined) takedown.linesDone += some.length;
  }
  takedown.remainder = lines.slice(takedown.linesDone - linesBefore).join('\n');
  return takedown;
}

/**
 * Whether it begins with the lines that were not done, so that they have the numbers that they had.
 *
 * @param {string} text
 * @param {Takedown} takedown
 */
function holdsRemainder(text, { linesDone, remainder }) {
  return linesDone > 0 && remainder !== '' && `${withoutEnd(text)}\n`.startsWith(`${remainder}\n`);
}

/** @param {string} before of what was done so far @param {string} reason of what follows */
function bothReasons(before, reason) {
  if (before === '' || reason === '') return before + reason;
  return `; ${before}`.endsWith(`; ${reason}`) ? before : `${before}; ${reason}`;
}

/** @param {string} text @returns {string} without the empty lines at its end */
function withoutEnd(text) {
  return text.replace(/\s+$/, '');
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
