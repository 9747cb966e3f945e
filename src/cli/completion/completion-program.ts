/** The words of `trakx completion`. */
import { Argument, Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { commandWords } from './command-words.ts';
import { completionScript, SHELLS, type Shell } from './completion-scripts.ts';

const HELP = `
Examples:
  echo 'source <(trakx completion bash)' >> ~/.bashrc
  trakx completion zsh > ~/.zfunc/_trakx               (with ~/.zfunc in $fpath)
  trakx completion fish > ~/.config/fish/completions/trakx.fish

Exit codes: 0 done, 2 wrong use of the command.`;

/** `root`: the tree that it is part of, once that is put together. */
export function completionProgram({ out }: Surroundings, root: () => Command): Command {
  return new Command('completion')
    .description('print the script that completes its words in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => {
      out.write(completionScript(shell, commandWords(root())));
    });
}
