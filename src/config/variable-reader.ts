/**
 * Reads single variables and collects what is wrong with them, so that everything is reported at once. Each
 * reading returns a usable value even when it found a problem; the configuration is thrown away then.
 */
import type { Environment } from './system.ts';
import { allowedValues, VARIABLES, type VariableName } from './variables.ts';

export interface ConfigProblem {
  readonly variable: string;
  /** As it was set; masked when it is a secret, empty when it is unset. */
  readonly value: string;
  /** What is wrong or allowed, as a sentence's end. */
  readonly allowed: string;
}

const VALUE_CHARACTERS_SHOWN = 80;

export class VariableReader {
  readonly problems: ConfigProblem[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The trimmed text; unset, empty and blank are all undefined, as compose files and dashboards leave them. */
  text(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  /** A whole number within the table's limits, in plain decimal digits. */
  wholeNumber(name: VariableName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = VARIABLES[name];
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    this.refuse(name);
    return undefined;
  }

  /** A whole number, or the table's default. */
  wholeNumberOrDefault(name: VariableName): number {
    return this.wholeNumber(name) ?? Number(VARIABLES[name].default);
  }

  flag(name: VariableName): boolean | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return undefined;
    if (['true', '1', 'yes', 'on'].includes(text)) return true;
    if (['false', '0', 'no', 'off'].includes(text)) return false;
    this.refuse(name);
    return undefined;
  }

  oneOf<Choice extends string>(name: VariableName, choices: readonly Choice[]): Choice {
    const text = this.text(name) ?? String(VARIABLES[name].default);
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    this.refuse(name);
    return choices[0] as Choice;
  }

  /** Items between commas or blanks; the problem names the first few that `parse` refuses. */
  list<Item>(name: VariableName, parse: (text: string) => Item | undefined): readonly Item[] {
    const items: Item[] = [];
    const refused: string[] = [];
    for (const text of (this.text(name) ?? '').split(/[\s,]+/).filter((part) => part !== '')) {
      const item = parse(text);
      if (item === undefined) refused.push(text);
      else items.push(item);
    }
    if (refused.length > 0) {
      const more = refused.length > 3 ? ` and ${refused.length - 3} more` : '';
      this.refuse(name, `${allowedValues(name)}; not ${refused.slice(0, 3).map(quoted).join(', ')}${more}`);
    }
    return items;
  }

  /** Notes a problem with a variable; `allowed` is the table's phrase unless given. */
  refuse(name: VariableName, allowed: string = allowedValues(name)): void {
    this.refuseValue(name, this.text(name) ?? '', allowed);
  }

  refuseValue(variable: string, value: string, allowed: string): void {
    this.problems.push({ variable, value: shownValue(variable, value), allowed });
  }
}

/** A value as it may be shown: secrets masked, credentials within a URL masked, long ones cut. */
export function shownValue(name: string, value: string): string {
  const variable: { readonly isSecret?: boolean } | undefined = VARIABLES[name as VariableName];
  if (value === '') return '';
  if (variable?.isSecret === true || /SECRET|TOKEN|PASSWORD|KEY/.test(name)) return '(hidden)';
  return cut(value.replace(/\/\/[^/@]*@/, '//(hidden)@'));
}

function cut(text: string): string {
  return text.length <= VALUE_CHARACTERS_SHOWN ? text : `${text.slice(0, VALUE_CHARACTERS_SHOWN)}…`;
}

function quoted(text: string): string {
  return JSON.stringify(cut(text));
}
