/** The settings files of other platforms as values. YAML and TOML are read by Debian's Python, for Node reads neither. */
import { spawnSync } from 'node:child_process';
import { type Need, pythonModule } from '../needs.ts';

export const settingsReaders: readonly Need[] = [
  pythonModule('yaml', 'python3-yaml'),
  pythonModule('tomllib', 'python3'),
];

const PROGRAM = `
import json, sys, tomllib, yaml
path = sys.argv[1]
with open(path, 'rb') as file:
    value = tomllib.load(file) if path.endswith('.toml') else yaml.safe_load(file)
print(json.dumps(value))
`;

/** Throws when the file is not well-formed. Reads JSON too, which is YAML. */
export function readSettings<T>(path: string): T {
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', PROGRAM, path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${path}: ${stderr}`);
  return JSON.parse(stdout);
}
