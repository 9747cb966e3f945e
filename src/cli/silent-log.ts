/** For parts that log and are used by a command, where what fails is told when it ends the command. */
import type { Log } from '../log.ts';

export const SILENT_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} };
