/**
 * A button beside each text that is there to be copied. Without this script the text is there to be selected, which one
 * click does (`user-select: all`), so a browser that refuses its clipboard (a page over plain HTTP) gets no button.
 */
const SAYS_COPIED_MS = 2_000;

if (navigator.clipboard !== undefined) {
  for (const text of document.querySelectorAll('.copy')) addButton(text);
}

/** @param {Element} text */
function addButton(text) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy-button';
  button.textContent = 'Copy';
  // Said aloud when it changes: the button's own text would not be.
  const told = document.createElement('span');
  told.className = 'for-readers';
  told.role = 'status';
  text.after(button, told);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  button.addEventListener('click', async () => {
    const isCopied = await copy(text.textContent ?? '');
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
 * @param {string} text
 * @returns {Promise<boolean>} whether the clipboard took it
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed: the button says so
  }
}
