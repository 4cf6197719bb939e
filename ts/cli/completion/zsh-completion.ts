import type { AnyCommand, Operand, Option } from '../command.ts';

/** The script that makes zsh complete `sage-kernel`: to be sourced behind compinit, or to lie in a folder of `fpath` as `_sage-kernel`. */
export function zshCompletion(commands: readonly AnyCommand[]): string {
  return `#compdef sage-kernel sagek
# zsh completion for sage-kernel, made by 'sage-kernel completion zsh'

_sage_kernel_commands() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  _describe -t commands command commands
}

_sage-kernel() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[help]' '(- *)'{-v,--version}'[version]' '1: :_sage_kernel_commands' '*:: :->rest' && return
  [[ $state == rest ]] || return
  case $line[1] in
    help) _sage_kernel_commands ;;
${commands.map(commandCase).join('\n')}
  esac
}

if [[ $funcstack[1] == _sage-kernel ]]; then
  _sage-kernel "$@"
else
  compdef _sage-kernel sage-kernel sagek
fi`;
}

function commandCase(command: AnyCommand): string {
  const specs = [
    ...Object.entries(command.options).map(([name, option]) => optionSpec(name, option)),
    `'(-h --help)'{-h,--help}'[this text]'`,
    ...command.operands.map((operand, n) => quote(`${n + 1}:${escape(operand.name)}:${action(operand)}`)),
    ...(command.takesProgramArgs ? [quote('*:argument of the program:_files')] : []),
  ];
  return `    ${command.name})
      _arguments -s -S \\
${specs.map((spec) => `        ${spec}`).join(' \\\n')}
      ;;`;
}

function optionSpec(name: string, option: Option): string {
  const value = option.kind === 'flag' ? '' : `:${escape(option.placeholder)}:${option.choices === undefined ? ' ' : `(${option.choices.join(' ')})`}`;
  const text = quote(`[${escape(option.description)}]${value}`);
  return option.short === undefined ? `--${name}${text}` : `${quote(`(-${option.short} --${name})`)}{-${option.short},--${name}}${text}`;
}

function action({ completes }: Operand): string {
  if (completes === 'program') return '_files -g "*.(js|mjs|cjs|ts|mts|cts)(-.)"';
  if (completes === 'any') return '_files';
  return completes === 'folder' ? '_files -/' : `(${completes.join(' ')})`;
}

/** Brackets and colons mean something in the specifications of _arguments. */
function escape(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
