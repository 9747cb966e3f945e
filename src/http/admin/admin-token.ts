/** Who may administer the tracker: whoever sends `Authorization: Bearer` with ADMIN_TOKEN (RFC 6750 §2.1). */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Makes the check for a token; it takes the same time for every wrong one, whatever its length. */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = sha256(token);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return timingSafeEqual(sha256(given ?? ''), expected) && given !== undefined;
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
