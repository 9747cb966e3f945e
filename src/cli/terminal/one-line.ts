/**
 * What others wrote (a reason, what a store or a proxy says) on a line of a terminal or of a file: it may hold any
 * character, and neither ends the line nor tells the terminal what to do.
 */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it takes out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
