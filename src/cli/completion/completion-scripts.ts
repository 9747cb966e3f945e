/**
 * Completion scripts, each whole in itself: they find out which command the words so far name, and offer what may follow
 * there: commands, options, files. No command is run to complete a word.
 */
import type { CommandWords } from './command-words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** Runs in bash 3.2 too, which macOS has: without mapfile and associative arrays. */
function bashScript(commands: readonly CommandWords[]): string {
  const words = commands.map(({ place, below, options }) => {
    const all = [...below.map(({ name }) => name), ...options.map(({ flag }) => flag)];
    return `    ${quoted(place)}) words=$'${all.join('\\n')}' ;;`;
  });
  return `# Completion of trakx for bash:  source <(trakx completion bash)
_trakx() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local place='trakx' words='' at IFS=$'\\n'
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$place \${COMP_WORDS[at]}" in
      ${places(commands)}) place="$place \${COMP_WORDS[at]}" ;;
    esac
  done
  COMPREPLY=()
  case "$place $previous" in
    ${optionPlaces(commands, 'file')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${optionPlaces(commands, 'other')}) return ;;
  esac
  case "$place" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$place" in
    ${filePlaces(commands)}) [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _trakx trakx
`;
}

function zshScript(commands: readonly CommandWords[]): string {
  const choices = commands.map(({ place, below, options }) => {
    const all = [
      ...below.map(({ name, description }) => `${name}:${description}`),
      ...options.map(({ flag, description }) => `${flag}:${description}`),
    ];
    return `    ${quoted(place)}) choices=(${all.map(quoted).join(' ')}) ;;`;
  });
  return `#compdef trakx
# Completion of trakx for zsh: put it into a directory of $fpath as _trakx, or  source <(trakx completion zsh)
_trakx() {
  local place='trakx' at
  local -a choices
  for ((at = 2; at < CURRENT; at++)); do
    case "$place \${words[at]}" in
      (${places(commands)}) place="$place \${words[at]}" ;;
    esac
  done
  case "$place \${words[CURRENT - 1]}" in
    (${optionPlaces(commands, 'file')}) _files; return ;;
    (${optionPlaces(commands, 'other')}) return ;;
  esac
  case "$place" in
${choices.join('\n').replaceAll("    '", "    ('")}
  esac
  _describe -t commands trakx choices
  case "$place" in
    (${filePlaces(commands)}) _files ;;
  esac
}
if [[ "\${funcstack[1]}" == _trakx ]]; then _trakx "$@"; else compdef _trakx trakx; fi
`;
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ place, below, options, takesFile }) => {
    const at = `complete -c trakx -n '__trakx_at "${place}"'`;
    return [
      ...below.map(({ name, description }) => `${at} -a ${name} -d ${quotedForFish(description)}`),
      ...options.map(
        ({ flag, description, value }) =>
          `${at} -l ${flag.slice(2)}${VALUES_FOR_FISH[value]} -d ${quotedForFish(description)}`,
      ),
      ...(takesFile ? [`${at} -F`] : []),
    ];
  });
  return `# Completion of trakx for fish:  trakx completion fish > ~/.config/fish/completions/trakx.fish
function __trakx_at
  set -l place trakx
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${places(commands).replaceAll('|', ' ')}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
complete -c trakx -f
${lines.join('\n')}
`;
}

const VALUES_FOR_FISH = { file: ' -r -F', other: ' -x', none: '' } as const;

function places(commands: readonly CommandWords[]): string {
  return commands
    .slice(1)
    .map(({ place }) => quoted(place))
    .join('|');
}

/** `'trakx start --pid-file'|…`: options that such a value follows. */
function optionPlaces(commands: readonly CommandWords[], value: 'file' | 'other'): string {
  return commands
    .flatMap(({ place, options }) =>
      options.filter((option) => option.value === value).map(({ flag }) => quoted(`${place} ${flag}`)),
    )
    .join('|');
}

function filePlaces(commands: readonly CommandWords[]): string {
  return commands
    .filter(({ takesFile }) => takesFile)
    .map(({ place }) => quoted(place))
    .join('|');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function quotedForFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
