/** Quantities as people read them, and times as they write them. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** "8.4 MB": thousands, as bills and disks count. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1_000;
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "3 min", "2 h", "5 days": the largest unit of which there are two, or the smallest. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.round(whole / 60)} min`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}

/** "1 part", "3 parts" */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "2026-11-21T14:03:00Z" */
export function timeText(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
}

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const TIME_SECONDS_MAX = 0xffff_ffff;

/**
 * Seconds since the epoch from "now", seconds, or ISO 8601; UTC where no zone is given; undefined for anything else.
 * Fractions of a second are cut off.
 */
export function parseTime(text: string, nowSeconds: number): number | undefined {
  if (text === 'now') return nowSeconds;
  let seconds = Number.NaN;
  const match = ISO_8601.exec(text);
  if (/^\d{1,10}$/.test(text)) {
    seconds = Number(text);
  } else if (match !== null) {
    const [, day = '', minutes = '00:00', second = '00', zone = 'Z'] = match;
    const colon = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
    const milliseconds = Date.parse(`${day}T${minutes}:${second}${colon}`);
    // Date.parse takes the 31st of February for the 3rd of March.
    const isRealDay = !Number.isNaN(milliseconds) && new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day);
    seconds = isRealDay === true ? milliseconds / 1_000 : Number.NaN;
  }
  return seconds >= 0 && seconds <= TIME_SECONDS_MAX ? seconds : undefined;
}
