/**
 * What a server makes of bytes that come in certain pieces: everything that it sends back until the connection is
 * closed, as values that can be compared. The client shuts its sending side at the end, so that every connection
 * ends by itself.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Dialogue {
  readonly responses: readonly Response[];
  /** The connection was reset, so that the last bytes may have been lost on the way. */
  readonly wasReset: boolean;
}

interface Response {
  readonly statusLine: string;
  /** All but Date's value, which is the clock's; names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends the pieces, each in a turn of the event loop of its own, as long as the server listens. */
export async function dialogue(port: number, pieces: readonly Uint8Array[]): Promise<Dialogue> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const received: Buffer[] = [];
  let wasReset = false;
  let hasEnded = false;
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.on('error', () => {
    wasReset = true;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([once(socket, 'connect'), closed]);
  for (const piece of pieces) {
    if (hasEnded || wasReset) break;
    if (piece.length > 0) socket.write(piece);
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await closed;
  return { responses: responsesIn(Buffer.concat(received).toString('latin1')), wasReset };
}

/**
 * Asserts that a server with a lane answered as one without: the same statuses, fields and bodies and the same
 * fate of the connection; but a connection that was handed over is closed after its next answer.
 */
export function assertAlike(withLane: Dialogue, without: Dialogue, wasHandedOver: boolean): void {
  for (const [index, response] of withLane.responses.entries()) {
    const expected = without.responses[index];
    if (expected === undefined) {
      assert.ok(without.wasReset, `the lane answered ${response.statusLine}, node:http nothing`);
      return;
    }
    assert.equal(response.statusLine, expected.statusLine);
    assert.equal(response.body, expected.body);
    const isLast = index === withLane.responses.length - 1;
    if (isLast && wasHandedOver && closes(response)) {
      assert.deepEqual(withoutFate(response), withoutFate(expected));
      return;
    }
    assert.deepEqual([...response.fields].sort(), [...expected.fields].sort());
  }
  const missing = without.responses.length - withLane.responses.length;
  assert.ok(missing === 0 || withLane.wasReset, `${missing} answers are missing with the lane`);
}

const closes = ({ fields }: Response): boolean => fields.get('connection') === 'close';

const withoutFate = ({ fields }: Response): unknown[] =>
  [...fields].filter(([name]) => name !== 'connection' && name !== 'keep-alive').sort();

/** Without interim answers: those to pipelined requests node:http puts in the middle of others. */
function responsesIn(stream: string): Response[] {
  const text = stream.replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '');
  const heads = [...text.matchAll(/HTTP\/1\.1 \d{3} [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/g)];
  return heads.map((head, index) => {
    const [statusLine, ...lines] = head[0].trimEnd().split('\r\n');
    const fields = lines.map((line): [string, string] => {
      const name = line.slice(0, line.indexOf(':')).toLowerCase();
      return [name, name === 'date' ? '' : line.slice(line.indexOf(':') + 1).trim()];
    });
    const body = text.slice(head.index + head[0].length, heads[index + 1]?.index);
    return { statusLine: statusLine!, fields: new Map(fields), body };
  });
}
