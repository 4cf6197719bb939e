import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { isSageError, type Logger, type PipelineOptions } from '../../ts/index.ts';
import { talking, type Talk } from './pipelines/talking.ts';
import { runScript } from './support/run-script.ts';

type Line = Readonly<Record<string, unknown>>;

/** Runs it with a real pino logger; gives the lines that pino has written by the time the job has ended. */
async function linesOf(talk: Talk, options: PipelineOptions, level = 'info'): Promise<readonly Line[]> {
  const written: string[] = [];
  const logger = pino({ level }, { write: (line: string) => void written.push(line) });
  await talking.run(talk, { ...options, logger });
  return written.map((line) => JSON.parse(line) as Line);
}

const numbered = (lines: readonly Line[], instance: number): readonly unknown[] =>
  lines.filter((line) => line['instance'] === instance && 'line' in line).map(({ line }) => line);

test('a pino logger is a Logger without any adapter', () => {
  expectTypeOf(pino()).toExtend<Logger>();
  expectTypeOf(pino().child({ service: 'billing' })).toExtend<Logger>();
  expectTypeOf<{ info(message: string): void }>().not.toExtend<Logger>();
});

describe.each([
  ['in the main isolate', { name: 'job', parallelism: 1 }, 1],
  ['in worker threads', { name: 'job', parallelism: 2 }, 2],
] as const)('functions %s', (_, options, instances) => {
  test('write to the logger of the environment: all lines, in the order of each instance, with job, operator and instance', async () => {
    const lines = await linesOf({ records: 200, lines: 3 }, options);

    for (let instance = 0; instance < instances; instance++) {
      const own = numbered(lines, instance);
      expect(own).toEqual(Array.from({ length: 600 / instances }, (__, n) => n));
    }
    expect(lines).toHaveLength(600 + instances);
    for (const line of lines) {
      expect(line).toMatchObject({ job: 'job', operator: 'talk', level: expect.any(Number), jobId: lines[0]!['jobId'] });
      expect(line['jobId']).toMatch(/^[\w-]{36}$/);
    }
    expect(lines.filter(({ msg }) => msg === 'record 7')).toHaveLength(3);
  });

  test('lines of close come too, with the fields of a child, and errors as errors', async () => {
    const lines = await linesOf({ records: 4, lines: 0 }, options);

    expect(lines).toHaveLength(instances);
    expect(lines[0]).toMatchObject({ level: 40, msg: 'closed', part: 'close', lines: 0 });
    // The serialiser of pino has seen an Error: it asks the class for its name and follows the causes.
    expect(lines[0]!['err']).toMatchObject({ type: 'RangeError', message: 'the last: behind it', stack: expect.stringContaining('talking.ts') });
  });

  test('the level of the logger decides', async () => {
    const debug = await linesOf({ records: 4, lines: 1 }, options, 'debug');
    const warn = await linesOf({ records: 4, lines: 1 }, options, 'warn');

    expect(debug.filter(({ msg }) => msg === 'opened')).toHaveLength(instances);
    expect(warn.map(({ msg }) => msg)).toEqual(Array.from({ length: instances }, () => 'closed'));
  });
});

test('what a worker thread has said before it dies is there', async () => {
  const written: string[] = [];
  const logger = pino({}, { write: (line: string) => void written.push(line) });

  const error: unknown = await talking.run({ records: 20, lines: 1, exitsAt: 4 }, { parallelism: 2, logger }).catch((reason: unknown) => reason);

  expect(isSageError(error, 'SAGE_WORKER_DIED')).toBe(true);
  const messages = written.map((line) => (JSON.parse(line) as Line)['msg']);
  for (const n of [0, 1, 2, 3, 4]) expect(messages).toContain(`record ${n}`);
});

test('a flood from worker threads is bounded, and what was dropped is said: no line is missing from the sum', async () => {
  const counts = { lines: 0, dropped: 0, warnings: 0 };
  // So slow that the main isolate cannot keep up with two threads.
  const logger = pino({}, {
    write(line: string) {
      const { dropped } = JSON.parse(line) as { readonly dropped?: number };
      if (dropped === undefined) counts.lines++;
      else {
        counts.dropped += dropped;
        counts.warnings++;
        expect(line).toContain(`${dropped} log lines were dropped`);
      }
      const untilMs = performance.now() + 0.05;
      while (performance.now() < untilMs);
    },
  });

  await talking.run({ records: 4, lines: 10_000 }, { parallelism: 2, logger });

  expect(counts.lines + counts.dropped).toBe(40_000 + 2);
  expect(counts.dropped).toBeGreaterThan(0);
  expect(counts.warnings).toBeGreaterThan(0);
});

test('a logger that throws on lines of worker threads does not fail the job, and is warned of', async () => {
  const broken: Logger = {
    debug() {},
    info() {
      throw new Error('disk full');
    },
    warn() {},
    error() {},
    child: () => broken,
  };
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', listen);
  try {
    const result = await talking.run({ records: 4, lines: 1 }, { parallelism: 2, logger: broken });
    await new Promise((resolve) => setImmediate(resolve));
    expect(result.status).toBe('finished');
    expect(result.recordsIn).toBe(4);
  } finally {
    process.off('warning', listen);
  }
  expect(warnings.filter((text) => text.includes('disk full'))).toHaveLength(1);
});

describe('without a logger, lines go to standard error', () => {
  const script = fileURLToPath(new URL('scripts/talks.ts', import.meta.url));

  test.each(['1', '2'])('as JSON where it is no terminal, at parallelism %s', async (parallelism) => {
    const { code, stdout, stderr } = await runScript(script, [parallelism]);

    expect({ code, stdout }).toEqual({ code: 0, stdout: 'finished\n' });
    const lines = stderr.trim().split('\n').map((line) => JSON.parse(line) as Line);
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(4);
    expect(lines[0]).toMatchObject({ job: 'talks', operator: 'talk', level: 'info', msg: expect.stringMatching(/^record \d$/), instance: expect.any(Number) });
    expect(new Date(lines[0]!['time'] as string).toISOString()).toBe(lines[0]!['time']);
    expect(lines.find(({ msg }) => msg === 'closed')).toMatchObject({ level: 'warn', part: 'close', err: { name: 'RangeError', cause: { message: 'behind it' } }, odd: '5' });
  });

  test.each([
    ['debug', ['debug', 'info', 'warn']],
    ['warn', ['warn']],
    ['silent', []],
  ])('SAGE_LOG=%s', async (level, levels) => {
    const { stderr } = await runScript(script, ['2'], { env: { SAGE_LOG: level } });

    const found = stderr.trim().split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as Line)['level']);
    expect([...new Set(found)].toSorted()).toEqual(levels);
  });

  test('a level that does not exist is warned of, and info is used', async () => {
    const { stderr } = await runScript(script, ['1'], { env: { SAGE_LOG: 'loud' } });

    expect(stderr).toContain('SAGE_LOG is "loud"');
    expect(stderr.match(/"level":"info"/g)).toHaveLength(4);
  });
});

test('a failure that nobody waits for goes to the logger too', async () => {
  const { code, stderr } = await runScript(fileURLToPath(new URL('scripts/fails-with-logger.ts', import.meta.url)));

  expect(code).toBe(1);
  const line = JSON.parse(stderr.trim()) as Line;
  expect(line).toMatchObject({ level: 50, job: 'unwatched', msg: "job 'unwatched' failed", err: { type: 'SageError', code: 'SAGE_USER_THREW', operator: 'map', record: 2 } });
});
