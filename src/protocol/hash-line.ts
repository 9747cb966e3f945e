/**
 * A line of a list of info hashes, as people keep and send them:
 *
 *   # a remark
 *   0123456789abcdef0123456789abcdef01234567
 *   magnet:?xt=urn:btih:…                      # a remark too
 *
 * What begins with a `#`, at the beginning of the line or after a space, is a remark. What the hash itself may look like
 * is magnet.ts's. Everybody who reads such lists, the command as well as the admin API, reads their lines by this.
 */
import { infoHashFrom } from './magnet.ts';

/** `nothing` of a line that is empty or only a remark; undefined when what stands there is no info hash. */
export function readHashLine(line: string): Uint8Array | 'nothing' | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return 'nothing';
  // The name in a link may hold a # after a space, and the hash stand behind it.
  const infoHash = infoHashFrom(text);
  if (infoHash !== undefined) return infoHash;
  const remark = text.search(/\s#/);
  return remark < 0 ? undefined : infoHashFrom(text.slice(0, remark));
}
