/**
 * Quantities as people read them, the same on the server, which writes the first figures, and in the browser, which
 * keeps them fresh. Pure; no locale but English, so that both write the same.
 */

/** What stands where nothing is known yet. */
export const UNKNOWN = '–';

/** @param {number | null | undefined} value @returns {string} `1,234,567` */
export function count(value) {
  return value === null || value === undefined ? UNKNOWN : Math.round(value).toLocaleString('en-US');
}

/** @param {number} value @param {string} one @param {string} many @returns {string} `1 peer`, `1,234 peers` */
export function counted(value, one, many) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** @param {number} share of 1 @returns {string} `63 %`, `0.4 %` */
export function percent(share) {
  const hundredths = share * 100;
  if (!Number.isFinite(hundredths)) return UNKNOWN;
  if (hundredths > 0 && hundredths < 0.1) return '<\u202f0.1\u202f%';
  return `${hundredths > 0 && hundredths < 9.95 ? hundredths.toFixed(1) : Math.round(hundredths)}\u202f%`;
}

/** @param {number | null | undefined} milliseconds @returns {string} `0.08 ms`, `12 ms`, `1.20 s` */
export function milliseconds(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return UNKNOWN;
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(2)}\u202fs`;
  return `${milliseconds.toFixed(milliseconds < 1 ? 2 : milliseconds < 9.95 ? 1 : 0)}\u202fms`;
}

/** @param {number | null | undefined} bytes @returns {string} `812 KiB`, `96 MiB`, `1.5 GiB` */
export function bytes(bytes) {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  if (bytes < 1_024) return `${Math.round(bytes)}\u202fB`;
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)}\u202fKiB`;
  if (bytes < 1_073_741_824) return `${Math.round(bytes / 1_048_576)}\u202fMiB`;
  return `${(bytes / 1_073_741_824).toFixed(1)}\u202fGiB`;
}

/** @param {number | null | undefined} seconds @returns {string} `42 s`, `3 min 5 s`, `2 h`, `5 d 3 h` */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}\u202fs`;
  if (whole < 3_600) return inTwo(whole, 60, 'min', 's');
  if (whole < 86_400) return inTwo(Math.floor(whole / 60), 60, 'h', 'min');
  return inTwo(Math.floor(whole / 3_600), 24, 'd', 'h');
}

/** @param {number} amount of the smaller unit @param {number} size @param {string} unit @param {string} smaller */
function inTwo(amount, size, unit, smaller) {
  const rest = amount % size;
  return `${Math.floor(amount / size)}\u202f${unit}${rest === 0 ? '' : ` ${rest}\u202f${smaller}`}`;
}

/** @param {string} iso in UTC @returns {string} `2026-11-21 17:50 UTC` */
export function minuteText(iso) {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
