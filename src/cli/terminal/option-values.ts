/** Values of options: read, and refused with what is allowed. */
import { InvalidArgumentError } from 'commander';

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Allowed: ${min} to ${max}.`);
    }
    return value;
  };
}

/** Of a URL. */
export function path(text: string): string {
  if (!/^\/[!-~]*$/.test(text))
    throw new InvalidArgumentError('Allowed: what begins with / and holds no space.');
  return text;
}

/** In milliseconds: 500ms, 20s, 10m. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  const value = Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
  if (!(value >= 1 && value <= 3_600_000)) throw new InvalidArgumentError('Allowed: 1ms to 60m.');
  return value;
}
