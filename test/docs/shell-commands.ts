import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseCommandLine } from '../../ts/cli/command-line.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string>; name: string };
const variables = readFileSync(join(ROOT, 'docs/environment-variables.md'), 'utf8');

/** What is wrong with a command of a document, `undefined` when it would do what it says. `files` are those that the document itself shows. */
export function commandProblem(line: string, files: ReadonlySet<string>): string | undefined {
  const words = line.match(/'[^']*'|"[^"]*"|\S+/g)?.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')) ?? [];
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const name = words.shift()!.split('=')[0]!;
    if (!variables.includes(`\`${name}\``)) return `docs/environment-variables.md does not name ${name}`;
  }
  const exists = (file: string | undefined): string | undefined =>
    file !== undefined && (files.has(file) || existsSync(join(ROOT, file))) ? undefined : `there is no ${file}`;
  const [program, ...args] = words;
  switch (program) {
    case 'cd':
    case 'git':
      return undefined;
    case 'npm': {
      const script = args[0] === 'run' ? args[1] : args[0];
      if (script === 'install' && (args.length === 1 || args.slice(1).some((arg) => arg.includes(manifest.name)) || args.includes('--save-dev'))) return undefined;
      return script !== undefined && script in manifest.scripts ? undefined : `package.json has no script ${script}`;
    }
    case 'npx':
      // The option that a bundle needs is what the document is about; test/install builds one with it.
      if (args[0] === 'esbuild' && args.includes('--external:sage-kernel')) return exists(args[1]);
      return args[0] === 'sage-kernel' || args[0] === 'sagek' ? cliProblem(args.slice(1), exists) : `npx ${args[0]} is not ours`;
    case 'sage-kernel':
    case 'sagek':
      return cliProblem(args.slice(0, args.includes('>') ? args.indexOf('>') : args.length), exists);
    case 'source': {
      const inner = /^source <\((.+)\)$/.exec(line)?.[1];
      return inner === undefined ? exists(args[0]) : commandProblem(inner, files);
    }
    case 'node':
      return exists(args.find((arg) => !arg.startsWith('-')));
    case 'cargo': {
      const crate = args.includes('-p') ? args[args.indexOf('-p') + 1] : undefined;
      if (!['test', 'bench', 'clippy', 'fmt', 'build', 'doc', 'run', 'install', 'mutants'].includes(args[0] ?? '')) return `cargo ${args[0]} is unknown here`;
      if (args.includes('--manifest-path')) return exists(args[args.indexOf('--manifest-path') + 1]);
      return crate === undefined ? undefined : exists(`crates/${crate}/Cargo.toml`);
    }
    case 'node_modules/.bin/node':
      return exists(args.find((arg) => !arg.startsWith('-')));
    default:
      return program?.startsWith('.ci/') === true ? exists(program) : `nobody knows ${program}`;
  }
}

function cliProblem(args: readonly string[], exists: (file: string) => string | undefined): string | undefined {
  try {
    const line = parseCommandLine(args);
    if (line.action !== 'run') return undefined;
    const { command, input } = line;
    return input.operands.map((operand, n) => (command.operands[n]?.completes === 'program' ? exists(operand) : undefined)).find((problem) => problem !== undefined);
  } catch (error) {
    return (error as Error).message;
  }
}
