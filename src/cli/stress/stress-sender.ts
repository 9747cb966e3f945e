/**
 * Sends requests at a constant rate, whatever the server does. Request i is due at start + i / rate; its latency is
 * counted from then and not from when it could be sent, so that a server that stalls is charged for everybody who
 * had to wait (no "coordinated omission"). One request at a time on each connection, connections taken in turn; a
 * connection that the server closed is opened anew for its next request.
 *
 * A metronome says when something is due, because a timer is up to a millisecond late.
 */
import type { Socket } from 'node:net';
import { startMetronome } from './stress-metronome.ts';
import { ReplyReader } from './stress-reply.ts';

export type Outcome = 'answered' | 'refused' | 'failed' | 'unanswered';

export interface SenderOptions {
  /** Opens connection `number`; it is used from its first write on, connected or not. */
  readonly connect: (number: number) => Socket;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  /** How long answers may take after the last request was due; then the rest count as unanswered. */
  readonly graceMs: number;
  /** A whole request, a character for each byte. */
  readonly nextRequest: () => string;
  /**
   * Of each request once: how it ended, how long after it was due, and when, since the start. `unsentMs` is the part of
   * the latency before it was sent: for want of a free connection, or because this process was late itself.
   */
  readonly onOutcome: (outcome: Outcome, latencyMs: number, atMs: number, unsentMs: number) => void;
  readonly monotonicMs: () => number;
  /** Ends the sending early: nothing more is due, and what is under way is not waited for. */
  readonly signal?: AbortSignal;
}

interface Slot {
  readonly number: number;
  socket: Socket | undefined;
  /** When the request under way was due; -1 when there is none. */
  dueMs: number;
  sentMs: number;
}

/** Faster rates send several requests a tick. */
const TICK_MS_MIN = 0.1;
const LOOK_EVERY_MS = 5;

/** Resolves when every request that was due has ended, with how many there were and how long it took. */
export function sendAtRate(options: SenderOptions): Promise<{ requests: number; ms: number }> {
  const { connections, requestsPerSecond, monotonicMs, onOutcome, signal } = options;
  let requests = Math.max(1, Math.round((requestsPerSecond * options.durationMs) / 1000));
  const slots = Array.from(
    { length: connections },
    (_, number): Slot => ({
      number,
      socket: undefined,
      dueMs: -1,
      sentMs: -1,
    }),
  );
  const idle = [...slots];
  /** The first tick: the metronome needs a moment to come up. */
  let startMs = Number.POSITIVE_INFINITY;
  let sent = 0;
  let ended = 0;
  let isDone = false;

  const dueMsOf = (request: number): number => startMs + (request * 1000) / requestsPerSecond;

  function finish(slot: Slot, outcome: Outcome): void {
    if (isDone || slot.dueMs < 0) return;
    const nowMs = monotonicMs();
    const latencyMs = nowMs - slot.dueMs;
    const unsentMs = slot.sentMs - slot.dueMs;
    slot.dueMs = -1;
    idle.push(slot);
    ended += 1;
    onOutcome(outcome, latencyMs, nowMs - startMs, unsentMs);
  }

  function open(slot: Slot): Socket {
    const socket = options.connect(slot.number);
    slot.socket = socket;
    const letGo = (): void => {
      if (slot.socket === socket) slot.socket = undefined;
    };
    const reader = new ReplyReader((reply) => {
      if (reply.isLast) {
        letGo();
        socket.end();
      }
      const isWell = reply.status >= 200 && reply.status < 400;
      finish(slot, !isWell ? 'failed' : reply.isRefusal ? 'refused' : 'answered');
    });
    socket.on('data', (chunk) => {
      if (!reader.push(chunk)) socket.destroy();
      send();
    });
    socket.on('end', () => reader.end());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (slot.socket !== socket) return;
      letGo();
      finish(slot, 'failed');
    });
    return socket;
  }

  /** Sends what is due, as far as connections are free. */
  function send(): void {
    if (isDone) return;
    const nowMs = monotonicMs();
    while (sent < requests && idle.length > 0 && dueMsOf(sent) <= nowMs) {
      const slot = idle.shift()!;
      slot.dueMs = dueMsOf(sent);
      slot.sentMs = nowMs;
      sent += 1;
      (slot.socket ?? open(slot)).write(options.nextRequest(), 'latin1');
    }
  }

  return new Promise((resolve) => {
    const stopTicks = startMetronome(Math.max(TICK_MS_MIN, 1000 / requestsPerSecond), () => {
      startMs = Math.min(startMs, monotonicMs());
      send();
    });
    const looking = setInterval(() => {
      const nowMs = monotonicMs();
      if (signal?.aborted) requests = sent;
      const isLate = nowMs > startMs + options.durationMs + options.graceMs;
      if (ended === requests || isLate || signal?.aborted) conclude(nowMs);
    }, LOOK_EVERY_MS);

    function conclude(nowMs: number): void {
      isDone = true;
      clearInterval(looking);
      void stopTicks();
      for (const { dueMs, sentMs } of slots) {
        if (dueMs >= 0) onOutcome('unanswered', nowMs - dueMs, nowMs - startMs, sentMs - dueMs);
      }
      for (let request = sent; request < requests; request++) {
        const unsentMs = nowMs - dueMsOf(request);
        onOutcome('unanswered', unsentMs, nowMs - startMs, unsentMs);
      }
      for (const { socket } of slots) socket?.destroy();
      resolve({ requests, ms: Math.max(0, nowMs - startMs) });
    }
  });
}
