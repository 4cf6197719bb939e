import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { KeyedProcessFunction, LocalEnvironment } from '../../../ts/index.ts';
import { sageKernel } from './run-cli.ts';

const TIMEOUT_MS = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-savepoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

class Seen extends KeyedProcessFunction<string, string, string> {
  execute(word: string): void {
    this.ctx.state.value('seen', { default: 0 }).update((n) => n + 1);
    this.collect(word);
  }
}

/** Leaves checkpoints in `checkpoints`, and the savepoint `first` of a job that had seen three words in two instances. */
async function save(): Promise<void> {
  const env = new LocalEnvironment('words', { checkpoint: { dir: at('checkpoints') } });
  const given = Promise.withResolvers<void>();
  env.fromSource(async function* () {
    yield* ['a', 'b', 'c', 'a'];
    given.resolve();
    await new Promise(() => undefined);
  }, { unbounded: false }).uid('words').keyBy((word) => word).process(Seen).uid('seen').parallelism(2).sink([]);
  const job = await env.submit();
  await given.promise;
  await job.savepoint(at('first'));
  await job.stop();
}

/** Changes one byte in the middle of a part of a file. */
function damage(file: string, text: string): void {
  const bytes = readFileSync(file);
  const place = bytes.indexOf(text);
  bytes[place]! ^= 1;
  writeFileSync(file, bytes);
}

describe('sage-kernel savepoint show', { timeout: TIMEOUT_MS }, () => {
  test('given a savepoint, shows its format, epoch, operators, parts, entries and bytes', async () => {
    await save();
    const { code, stdout } = await sageKernel(['savepoint', 'show', at('first')]);
    expect(stdout).toMatch(/^epoch 1 of job 'words' in .*first\n {2}format 1, \d+ bytes, every checksum is right\n {2}the job went on; \d+ key groups\n/);
    expect(stdout).toMatch(/\nuid 'words': 1 instance\n {2}position  instance 0  own  \d+ bytes\n/);
    expect(stdout).toMatch(/\nuid 'seen': 2 instances\n(?: {2}\w+ +instance [01] +(?:own|keyed) +\d+ bytes? *(?:\d+ entr(?:y|ies))?\n)+/);
    expect(code).toBe(0);
  });

  test('--json is the same for programs, and every key is there once', async () => {
    await save();
    const { stdout } = await sageKernel(['savepoint', 'show', at('first'), '--json']);
    const shown = JSON.parse(stdout) as { bytes: number; operators: { uid: string | null; parts: { name: string; kind: string; entries: number | null }[] }[] };
    expect(shown).toMatchObject({ path: at('first'), formatVersion: 1, epoch: 1, checksums: 'right', bytes: readFileSync(at('first')).length, metadata: { job: 'words', last: false }, skipped: [] });
    const states = shown.operators.find(({ uid }) => uid === 'seen')!.parts.filter(({ name }) => name === 'state');
    expect(states.map(({ kind }) => kind)).toEqual(['keyed', 'keyed']);
    expect(states.reduce((sum, { entries }) => sum + entries!, 0)).toBe(3);
  });

  test('given a checkpoint directory, shows the newest one, and given a damaged one of it, goes back and says so', async () => {
    await save();
    const whole = await sageKernel(['savepoint', 'show', at('checkpoints')]);
    expect([whole.code, whole.stdout]).toEqual([0, expect.stringMatching(/^epoch 2 .*\n.*\n {2}with it the job stopped, or had ended/)]);
    const newest = readdirSync(at('checkpoints')).filter((name) => name.endsWith('.ckpt')).toSorted().at(-1)!;
    damage(join(at('checkpoints'), newest), 'seen');
    const older = await sageKernel(['savepoint', 'show', at('checkpoints')]);
    expect([older.code, older.stdout, older.stderr]).toEqual([1, expect.stringMatching(/^epoch 1 /), expect.stringContaining(newest)]);
  });

  test('given one byte that is another, names the file and the part', async () => {
    await save();
    damage(at('first'), 'seen'); // the name of the state, in the first of the parts that have it
    const { code, stdout, stderr } = await sageKernel(['savepoint', 'show', at('first')]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/SAGE_CHECKPOINT_DAMAGED/);
    expect(stderr).toMatch(/first is damaged: part 'state' of 'seen', instance 0 of 2: its checksum is wrong/);
  });

  test.each([
    ['a path where nothing is', (): string => at('nowhere'), 2, 'There is no savepoint or checkpoint at'],
    ['an empty directory', (): string => folder, 2, 'has no epoch'],
    ['a file that is something else', (): string => (writeFileSync(at('notes'), 'a text that is long enough to be looked at, and says nothing'), at('notes')), 1, 'SAGE_CHECKPOINT_DAMAGED'],
  ])('given %s, says so', async (_, path, expected, message) => {
    const { code, stderr } = await sageKernel(['savepoint', 'show', path()]);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(message)]);
  });

  test.each([
    [[], 'What with it?'],
    [['show'], 'Which savepoint?'],
    [['burn', 'first'], "The action is 'burn'; it can be show."],
  ])('given %j, says what to write', async (args, message) => {
    const { code, stderr } = await sageKernel(['savepoint', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
