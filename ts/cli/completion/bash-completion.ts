import type { AnyCommand, Operand } from '../command.ts';

/** Files that Node runs. */
const PROGRAMS = '@(js|mjs|cjs|ts|mts|cts)';

/** The script that makes bash complete `sage-kernel`. All that it knows is in it: no process is started for a Tab. */
export function bashCompletion(commands: readonly AnyCommand[]): string {
  return `# bash completion for sage-kernel, made by 'sage-kernel completion bash'

_sage_kernel_words() {
  local IFS=$' \\n'
  COMPREPLY=($(compgen -W "$1" -- "\${COMP_WORDS[COMP_CWORD]}"))
}

_sage_kernel_files() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path
  COMPREPLY=()
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do
    if [[ -d $path || $1 == any || ( $1 == program && $path == *.${PROGRAMS} ) ]]; then COMPREPLY+=("$path"); fi
  done < <(compgen -f -- "$current")
}

_sage_kernel() {
  local command="\${COMP_WORDS[1]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" current="\${COMP_WORDS[COMP_CWORD]}" word operands=0 skip=0 n
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    _sage_kernel_words '${[...commands.map(({ name }) => name), 'help', '--help', '--version'].join(' ')}'
    return
  fi
  for (( n = 2; n < COMP_CWORD; n++ )); do
    word="\${COMP_WORDS[n]}"
    if (( skip )); then skip=0
    elif [[ $word == -- ]]; then _sage_kernel_files any; return
    elif [[ " ${valueOptions(commands).join(' ')} " == *" $word "* ]]; then skip=1
    elif [[ $word != -* ]]; then (( operands += 1 )); fi
  done
  case "$command" in
    help) _sage_kernel_words '${commands.map(({ name }) => name).join(' ')}' ;;
${commands.map(commandCase).join('\n')}
  esac
}

complete -F _sage_kernel sage-kernel sagek`;
}

function valueOptions(commands: readonly AnyCommand[]): string[] {
  const options = commands.flatMap(({ options }) => Object.entries(options).filter(([, { kind }]) => kind === 'value'));
  return [...new Set(options.flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]))];
}

function commandCase(command: AnyCommand): string {
  const values = Object.entries(command.options).flatMap(([name, option]) => {
    if (option.kind === 'flag') return [];
    const typed = `--${name}${option.short === undefined ? '' : `|-${option.short}`}`;
    const answer = option.choices === undefined ? 'return' : `_sage_kernel_words '${option.choices.join(' ')}'; return`;
    return [`        ${typed}) ${answer} ;;`];
  });
  const options = [...Object.keys(command.options).map((name) => `--${name}`), '--help', ...(command.takesProgramArgs ? ['--'] : [])];
  return `    ${command.name})
      case "$previous" in
${[...values, "        *) ;;"].join('\n')}
      esac
      if [[ $current == -* ]]; then _sage_kernel_words '${options.join(' ')}'; return; fi
      case "$operands" in
${[...command.operands.map((operand, n) => `        ${n}) ${completeOperand(operand)} ;;`), '        *) ;;'].join('\n')}
      esac
      ;;`;
}

function completeOperand({ completes }: Operand): string {
  return typeof completes === 'string' ? `_sage_kernel_files ${completes}` : `_sage_kernel_words '${completes.join(' ')}'`;
}
