import type { Fence } from './fences.ts';

/** Names that an example may use without importing them, and where they come from. */
export type KnownNames = ReadonlyMap<string, { readonly from: string; readonly isType: boolean }>;

const USES_ENV = /\benv\s*\.|\(env\)/;
const DECLARES_ENV = /\b(?:const|using) env\b|\(env[:,]/;
const STARTS_ITSELF = /\.(?:submit|submitJob|run|explain)\(|\.collect\(\)\)/;

/**
 * A block as a program: imports of the names that it uses, an environment `env` when it uses one that it does not make,
 * and a submit at the end when nothing in it starts the job.
 */
export function exampleProgram(fence: Fence, known: KnownNames): string {
  const code = fence.text;
  const own = [...code.matchAll(/\b(?:const|let|class|function|interface|type) (\w+)/g)].map((match) => match[1]!);
  const imported = [...code.matchAll(/^import [^;]*;/gm)].flatMap((match) => match[0].match(/\w+/g) ?? []);
  const bare = new Set([...own, ...imported]);
  const makesEnv = USES_ENV.test(code) && !DECLARES_ENV.test(code);
  const used = new Set(stripStrings(code).match(/\b[A-Za-z]\w*\b/g));
  if (makesEnv) used.add('LocalEnvironment');
  const bySource = Map.groupBy([...known].filter(([name]) => used.has(name) && !bare.has(name)), ([, { from }]) => from);
  return [
    ...[...bySource].map(([from, names]) => `import { ${names.map(([name, { isType }]) => (isType ? `type ${name}` : name)).join(', ')} } from '${from}';`),
    ...(makesEnv ? ["const env = new LocalEnvironment('example');"] : []),
    code,
    ...(makesEnv && !STARTS_ITSELF.test(code) ? ['await env.submit({ autostop: true });'] : []),
    'export {};\n',
  ].join('\n');
}

/** Names in texts and comments are no uses; what stands in `${}` is lost too, which does no harm here. */
function stripStrings(code: string): string {
  return code.replaceAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$/gm, "''");
}
