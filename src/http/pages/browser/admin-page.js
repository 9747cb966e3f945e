/**
 * The admin page: asks for the token, then lets the operator ban what a takedown request names, look through the
 * bans, look at a swarm, see how the tracker is, and save a snapshot. What each part does is in the modules that it imports.
 */
import { AdminClient, tokenProblem } from './admin-client.js';
import { BanList } from './ban-list.js';
import { element } from './element.js';
import { count, counted, minuteText } from './formats.js';
import { SwarmLookUp } from './swarm-look-up.js';
import { reasonProblem, takeDown } from './takedown.js';
import { takedownReceipt } from './takedown-receipt.js';

const client = new AdminClient();
const bans = new BanList(client);
const swarm = new SwarmLookUp(client);
const notice = element('#notice', HTMLElement);
const signIn = element('#sign-in', HTMLFormElement);
const work = element('#work', HTMLElement);
const token = element('#token', HTMLInputElement);
const hashes = element('#hashes', HTMLTextAreaElement);
const reason = element('#reason', HTMLInputElement);
const progress = element('#progress', HTMLProgressElement);
const takedownStatus = element('#takedown-status', HTMLElement);
const receipt = element('#receipt', HTMLElement);
const receiptStatus = element('#receipt-status', HTMLElement);
const search = element('#search', HTMLInputElement);
const torrent = element('#torrent', HTMLInputElement);
const snapshotStatus = element('#snapshot-status', HTMLElement);
/** The one whose receipt is shown. @type {import('./takedown.js').Takedown | undefined} */
let takedown;

signIn.addEventListener('submit', (event) => {
  event.preventDefault();
  const typed = token.value.trim();
  const problem = tokenProblem(typed);
  tellNotice(problem);
  if (problem !== '') return;
  client.keepToken(typed);
  void enter();
});
element('#sign-out', HTMLButtonElement).addEventListener('click', () => {
  client.forgetToken();
  askForToken('');
});
element('#takedown', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void ban();
});
// Checked before the form is sent, as the field's own limits are.
reason.addEventListener('input', () =>
  reason.setCustomValidity(reasonProblem(reason.value, Number(reason.dataset.bytesMax))),
);
element('#search-bans', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void bans.show(search.value.trim());
});
element('#look-up', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void swarm.show(torrent.value.trim());
});
element('#snapshot', HTMLButtonElement).addEventListener('click', () => void saveSnapshot());
element('#copy-receipt', HTMLButtonElement).addEventListener('click', () => void copyReceipt());
element('#download-receipt', HTMLButtonElement).addEventListener('click', downloadReceipt);

if (client.token !== null) void enter();
else askForToken('');

/**
 * One that is kept stands in the field, to be tried again.
 *
 * @param {string} why empty when nothing is wrong
 */
function askForToken(why) {
  token.value = client.token ?? '';
  work.hidden = true;
  signIn.hidden = false;
  tellNotice(why);
  token.focus();
}

/** @param {string} text empty for none */
function tellNotice(text) {
  notice.textContent = text;
  notice.hidden = text === '';
}

async function enter() {
  const { status, body } = await client.ask('GET', 'status');
  if (status !== 200) {
    // A tracker that does not answer, or wants to be asked later, says nothing of the token.
    if (status === 401) client.forgetToken();
    askForToken(status === 401 ? 'The token is wrong.' : body.error);
    return;
  }
  tellNotice('');
  token.value = '';
  signIn.hidden = true;
  work.hidden = false;
  showStatus(body);
  await bans.show('');
}

async function ban() {
  const button = element('#ban', HTMLButtonElement);
  button.disabled = true;
  // What was pasted meanwhile would be lost with the lines that were done.
  hashes.readOnly = true;
  progress.hidden = false;
  takedown = await takeDown(client, hashes.value, reason.value.trim(), showProgress, takedown);
  // What was not done stays, to be tried again.
  hashes.value = takedown.remainder;
  hashes.readOnly = false;
  button.disabled = false;
  progress.hidden = true;
  const { states, error } = takedown;
  const done = `${counted(states.size, 'info hash is', 'info hashes are')} banned.`;
  takedownStatus.textContent =
    error === undefined
      ? done
      : `${done} Then it failed; what is left stands in the field, and Ban goes on with it. ${error}`;
  receipt.textContent = takedownReceipt(takedown, {
    tracker: work.dataset.tracker || location.host,
    date: new Date(),
  });
  element('#receipt-part', HTMLElement).hidden = false;
  await bans.show('');
  await refreshStatus();
}

/**
 * @param {import('./takedown.js').Takedown} sofar
 * @param {string} note
 */
function showProgress({ linesDone, linesTotal }, note) {
  progress.max = linesTotal;
  progress.value = linesDone;
  const done = `${count(linesDone)} of ${count(linesTotal)} lines`;
  takedownStatus.textContent = `Banning: ${done}. ${note}`;
}

async function refreshStatus() {
  const { status, body } = await client.ask('GET', 'status');
  if (status === 200) showStatus(body);
}

/** @param {Record<string, any>} status */
function showStatus({ table, access, takedowns, store, snapshots, restore, warnings }) {
  /** @type {[string, string | number][]} */
  const figures = [
    ['Peers', table.peers],
    ['Swarms', table.swarms],
    ['Banned', takedowns.banned],
    ['Banned in a day', takedowns.lastDay],
    ['Banned in 30 days', takedowns.lastMonth],
    ['Bans not stored yet', access.changesWaiting],
    ['Store', store.failure === null ? 'answers' : 'fails'],
    ['Last snapshot', snapshots.savedAt === null ? 'none yet' : minuteText(snapshots.savedAt)],
    ['Restore', restore.isSettled ? 'settled' : 'under way'],
  ];
  const entries = figures.map(([name, value]) => {
    const entry = document.createElement('div');
    const shown = typeof value === 'number' ? count(value) : value;
    entry.append(
      Object.assign(document.createElement('dt'), { textContent: name }),
      Object.assign(document.createElement('dd'), { textContent: shown }),
    );
    return entry;
  });
  element('#status', HTMLElement).replaceChildren(...entries);
  tellNotice(warnings.join(' '));
}

async function saveSnapshot() {
  snapshotStatus.textContent = 'Saving …';
  const { body } = await client.ask('POST', 'snapshot');
  snapshotStatus.textContent = snapshotOutcome(body);
  await refreshStatus();
}

/** @param {Record<string, any>} body */
function snapshotOutcome({ outcome, number, peers, error }) {
  if (outcome === 'saved') return `Snapshot ${number} with ${count(peers)} peers is saved.`;
  if (outcome === 'still-saving') return 'It is still being saved.';
  return error ?? 'Nothing has changed since the last snapshot.';
}

async function copyReceipt() {
  try {
    await navigator.clipboard.writeText(receipt.textContent ?? '');
    receiptStatus.textContent = 'Copied.';
  } catch {
    // a page over plain HTTP has no clipboard, and a visitor may say no
    getSelection()?.selectAllChildren(receipt);
    receiptStatus.textContent = 'The browser did not allow it; the text is selected, copy it.';
  }
}

function downloadReceipt() {
  const address = URL.createObjectURL(new Blob([receipt.textContent ?? ''], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `takedown-${new Date().toISOString().slice(0, 10)}.txt`;
  link.click();
  URL.revokeObjectURL(address);
  receiptStatus.textContent = 'Downloaded.';
}
