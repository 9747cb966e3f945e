/**
 * The request target as it stands in the request line (RFC 9112 §3.2), brought into one form. Clients send the
 * origin form; some proxies send the absolute form, and Node passes on what follows a `#` as well. Nothing is
 * decoded here: info hashes are bytes, and a URL parser would take them for text.
 */

const QUESTION_MARK = 0x3f;

/** `/path?query` of the target, without a fragment; undefined for `*` and whatever names no path. */
export function originForm(target: string): string | undefined {
  const fragment = target.indexOf('#');
  const whole = fragment < 0 ? target : target.slice(0, fragment);
  if (whole.startsWith('/')) return whole;
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(whole)?.[0];
  if (authority === undefined) return undefined;
  const rest = whole.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The bytes of a request target in origin form, and where its query begins: after the first `?`, or at its end. */
export interface TargetBytes {
  readonly bytes: Uint8Array;
  readonly queryStart: number;
}

export function targetBytes(target: string): TargetBytes {
  // Node's parser lets only bytes below 0x80 through, one a character.
  const bytes = Buffer.from(target, 'latin1');
  const mark = bytes.indexOf(QUESTION_MARK);
  return { bytes, queryStart: mark < 0 ? bytes.length : mark + 1 };
}
