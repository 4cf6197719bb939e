import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The program as its author has it; long lines and comments in front make the compiled places differ from it. */
const PROGRAM = `// A program.
interface Order {
  readonly price: number;
}

const env = new LocalEnvironment('orders');
const orders: readonly Order[] = [{ price: 1 }];
env
  .fromCollection(orders)
  .map((order: Order): number => order.price)
  .filter(3 as never)
  .print();
`;
/** Of \`filter\` in it. */
const LINE = 12;
const FRAME = [
  '    10 |   .fromCollection(orders)',
  '    11 |   .map((order: Order): number => order.price)',
  '  > 12 |   .filter(3 as never)',
  '       |    ^^^^^^',
  '    13 |   .print();',
].join('\n');

const library = fileURLToPath(new URL('../../ts/index.ts', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-places-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The source of the program with its import, in a folder of its own. */
function source(name: string): string {
  const path = join(folder, name, 'src', 'main.ts');
  mkdirSync(join(folder, name, 'src'), { recursive: true });
  writeFileSync(path, `import { LocalEnvironment } from ${JSON.stringify(library)};\n${PROGRAM}`);
  return path;
}

async function compile(name: string, options: { readonly minify: boolean }): Promise<{ readonly from: string; readonly to: string }> {
  const from = source(name);
  const to = join(folder, name, 'dist', 'main.mjs');
  const build = await rolldown({ input: from, platform: 'node', external: [library], logLevel: 'silent' });
  await build.write({ file: to, format: 'esm', sourcemap: true, minify: options.minify });
  await build.close();
  return { from, to };
}

function stderrOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(stderr));
  });
}

describe.concurrent('an uncaught plan error shows the call in the author\'s source', () => {
  test('of a TypeScript file that Node runs as it is', async () => {
    const path = source('stripped');

    const stderr = await stderrOf([path]);

    expect(stderr).toContain(`  at ${path}:${LINE}:4\n${FRAME}\n  expected: a function`);
    // Behind the message the stack begins in the program.
    expect(/^ {4}at .*$/m.exec(stderr)![0]).toContain(`main.ts:${LINE}:4`);
  });

  test.each([false, true])('of compiled code with a source map (minified: %s)', async (minify) => {
    const { from, to } = await compile(`mapped-${minify}`, { minify });

    const stderr = await stderrOf(['--enable-source-maps', to]);

    expect(stderr).toContain(`  at ${from}:${LINE}:4\n${FRAME}\n`);
  });

  test('of compiled code whose source is gone: the map brings it', async () => {
    const { from, to } = await compile('gone', { minify: true });
    rmSync(from);

    const stderr = await stderrOf(['--enable-source-maps', to]);

    expect(stderr).toContain(`  at ${from}:${LINE}:4\n${FRAME}\n`);
  });

  test('of compiled code without maps: the compiled call, cut to what can be read', async () => {
    const { to } = await compile('plain', { minify: true });

    const stderr = await stderrOf([to]);

    expect(stderr).toContain(`  at ${to}:`);
    expect(stderr).toMatch(/\n {2}> \d+ \| .*\.filter\(3\)/);
  });

  test('of a program that is in no file', async () => {
    const stderr = await stderrOf(['--input-type=module', '-e', `import { LocalEnvironment } from ${JSON.stringify(library)};\nnew LocalEnvironment(3);`]);

    expect(stderr).toMatch(/new LocalEnvironment was given the number 3\n {2}at .*eval1?\]?:2:1\n {2}expected: /);
  });
});

describe.concurrent('a printed error', () => {
  const failing = `import { LocalEnvironment } from ${JSON.stringify(library)};
const env = new LocalEnvironment('picky');
env
  .fromCollection([{ id: 1 }, { id: 2 }])
  .map((order) => {
    if (order.id === 2) throw new RangeError('two is not allowed', { cause: 'the rules' });
    return order;
  })
  .named('check')
  .sink([]);
`;
  const program = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `${failing}${text}`);
    return path;
  };

  test('uncaught: the operator, where it was declared, and the cause with its frames', async () => {
    const path = program('uncaught.ts', 'await env.submit({ autostop: true });');

    const stderr = await stderrOf([path]);

    expect(stderr).toContain(`SageError: operator 'check' failed: RangeError: two is not allowed\n    at operator 'check' (${path}:5:4)`);
    expect(stderr).toMatch(/\[cause\]: RangeError: two is not allowed\n\s+at .*uncaught\.ts:6:31/);
    expect(stderr).toContain("code: 'SAGE_USER_THREW'");
  });

  test('by console: the whole report, and no frame of ours', async () => {
    const path = program('console.ts', 'await env.submit({ autostop: true }).catch((error: unknown) => console.error(error));');

    const stderr = await stderrOf([path], { NO_COLOR: '1' });

    expect(stderr).toContain(
      [
        "SageError SAGE_USER_THREW: operator 'check' failed: RangeError: two is not allowed",
        `  operator 'check' at ${path}:5:4`,
        '    3 | env',
        '    4 |   .fromCollection([{ id: 1 }, { id: 2 }])',
        '  > 5 |   .map((order) => {',
        '      |    ^^^',
        "    6 |     if (order.id === 2) throw new RangeError('two is not allowed', { cause: 'the rules' });",
        '  record: { id: 2 }',
        '  help: The cause is the error that it threw, with its stack.',
        '  see: sage-kernel/docs/errors/SAGE_USER_THREW.md',
        '  cause: RangeError: two is not allowed',
      ].join('\n'),
    );
    expect(stderr).toContain('    cause: the rules');
    expect(stderr).not.toContain('stage-runner');
    expect(stderr).not.toContain('\u001B');
  });
});
