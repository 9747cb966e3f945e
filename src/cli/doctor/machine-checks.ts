/** What the machine gives: Node, memory for MAX_PEERS, files for MAX_CONNECTIONS, a clock that is not years off. */
import { type Config, DESCRIPTORS_RESERVED } from '../../config/config.ts';
import { bytesForPeers, LIMIT_BYTES_MAX } from '../../config/memory-limit.ts';
import { openFilesMax, type System } from '../../config/system.ts';
import { VARIABLES } from '../../config/variables.ts';
import { bytesText, timeText } from '../terminal/quantities.ts';
import { type Finding, ok, problem, skipped, warning } from './finding.ts';

/** "engines" of package.json; a test compares them. */
export const NODE_MIN = [20, 19] as const;
export const NODE_MAJOR_END = 25;

/** When this was written; no right clock is before it. */
const CLOCK_SECONDS_MIN = Date.UTC(2026, 0, 1) / 1_000;

export interface MachineChecked {
  readonly config: Config;
  readonly system: System;
  /** process.version */
  readonly nodeVersion: string;
  readonly nowSeconds: number;
}

export function checkMachine(machine: MachineChecked): readonly Finding[] {
  return [
    nodeFinding(machine.nodeVersion),
    memoryFinding(machine),
    filesFinding(machine),
    clockFinding(machine),
  ];
}

export function nodeFinding(nodeVersion: string): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
  if (isOld)
    return problem(
      'node',
      `Node ${nodeVersion} is too old`,
      `install Node ${NODE_MIN.join('.')} or newer, up to ${NODE_MAJOR_END - 1}`,
    );
  if (major >= NODE_MAJOR_END)
    return warning(
      'node',
      `Node ${nodeVersion} is newer than what the tracker was tried with`,
      `Node ${NODE_MIN[0]} to ${NODE_MAJOR_END - 1} are`,
    );
  return ok('node', `Node ${nodeVersion}`);
}

function memoryFinding({ config, system }: MachineChecked): Finding {
  const { peersMax, memoryLimitBytes: limit } = config;
  const need = bytesForPeers(peersMax);
  const what = `a full table of ${peersMax} peers needs about ${bytesText(need)}`;
  // The limit is cut at what a default may take; beyond that the machine's memory tells.
  if (need <= limit || (peersMax > 0 && need <= system.memoryBytes && limit >= LIMIT_BYTES_MAX))
    return ok('memory', `${what}, of ${bytesText(Math.max(limit, need))} that it may use`);
  const fitting = Math.max(0, Math.floor((limit - bytesForPeers(0)) / (bytesForPeers(1) - bytesForPeers(0))));
  return warning(
    'memory',
    `${what}, and this process may use ${bytesText(limit)}: when it fills, the platform ends or swaps it`,
    fitting < 1_000 ? 'give it more memory' : `set MAX_PEERS=${fitting} or less, or give it more memory`,
  );
}

function filesFinding({ config, system }: MachineChecked): Finding {
  const files = openFilesMax(system);
  if (files === undefined) return skipped('open files', 'this system does not tell its limit');
  const wanted = Number(VARIABLES.MAX_CONNECTIONS.default);
  const says = `${files} files may be open (ulimit -n), and MAX_CONNECTIONS is ${config.connectionsMax}`;
  if (config.connectionsMax >= wanted || files >= wanted + DESCRIPTORS_RESERVED)
    return ok('open files', says);
  return warning(
    'open files',
    `${says}: further clients are turned away`,
    `raise the limit to ${wanted + DESCRIPTORS_RESERVED} or more (systemd: LimitNOFILE=, shell: ulimit -n)`,
  );
}

function clockFinding({ nowSeconds }: MachineChecked): Finding {
  if (nowSeconds >= CLOCK_SECONDS_MIN) return ok('clock', `it is ${timeText(nowSeconds)} here`);
  return problem(
    'clock',
    `this machine believes it is ${timeText(nowSeconds)}`,
    'set the clock (timedatectl set-ntp true)',
  );
}
