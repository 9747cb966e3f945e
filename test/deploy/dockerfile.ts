/** Dockerfiles as far as ours go: instructions in their order, by stage. */

export interface Instruction {
  /** In capitals: `RUN`, `COPY`. */
  readonly name: string;
  /** All that follows, continued lines joined by a space. */
  readonly text: string;
}

export interface Stage {
  /** What stands after AS; '' where nothing does. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage copied from; undefined for the build context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** Throws on a line that is no instruction, and on one before the first FROM. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; instructions: Instruction[] }[] = [];
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ');
  for (const line of lines.split('\n').filter((each) => each.trim() !== '')) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
    if (name === 'FROM') stages.push({ name: / AS (\S+)$/.exec(rest)?.[1] ?? '', instructions: [] });
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
    stage.instructions.push({ name, text: rest });
  }
  return stages;
}

export function all(stage: Stage, name: string): readonly string[] {
  return stage.instructions.filter((one) => one.name === name).map(({ text }) => text);
}

/** The instruction of that name; throws when there is none or more than one. */
export function only(stage: Stage, name: string): string {
  const [text, ...more] = all(stage, name);
  if (text === undefined || more.length > 0)
    throw new Error(`${name} stands there ${1 + more.length} times or never`);
  return text;
}

export function parseCopy(text: string): Copy {
  const words = text.split(' ');
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop()!;
  return { from, sources: words, target };
}

/** The words of an instruction in exec form; throws on shell form, which puts a shell between a signal and the program. */
export function execForm(text: string): readonly string[] {
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string'))
    throw new Error(`no exec form: ${text}`);
  return words;
}
