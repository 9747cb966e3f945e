/**
 * A button beside each text that is there to be copied. Without this script the text is there to be selected, which one
 * click does (`user-select: all`).
 */
const SAYS_COPIED_MS = 2_000;

for (const [index, text] of document.querySelectorAll('.copy').entries())
  addButton(text, `copy-${index + 1}`);

/**
 * @param {Element} text
 * @param {string} id for it: of several buttons it is to be heard what each copies
 */
function addButton(text, id) {
  text.id = id;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy-button';
  button.textContent = 'Copy';
  button.setAttribute('aria-describedby', id);
  // Said aloud when it changes: the button's own text would not be.
  const told = document.createElement('span');
  told.className = 'for-readers';
  told.role = 'status';
  text.after(button, told);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  button.addEventListener('click', async () => {
    const isCopied = await copy(text);
    button.textContent = isCopied ? 'Copied' : 'Select it and copy';
    told.textContent = isCopied
      ? 'Copied to the clipboard'
      : 'The browser did not allow it: select the text and copy';
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = 'Copy';
      told.textContent = '';
    }, SAYS_COPIED_MS);
  });
}

/**
 * @param {Element} text
 * @returns {Promise<boolean>} whether the clipboard took it; if not, the text is selected
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    return true;
  } catch {
    // Over plain HTTP browsers have no such clipboard, and trackers are often reached so; the old way still works.
    getSelection()?.selectAllChildren(text);
    return document.execCommand('copy');
  }
}
