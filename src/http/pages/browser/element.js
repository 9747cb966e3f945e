/** The elements that a page's script works on. One that is missing is a page that does not go with its script. */

/**
 * @template {HTMLElement} T
 * @param {string} selector of which the first is meant
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}
