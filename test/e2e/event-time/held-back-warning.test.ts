import { describe, expect, it } from 'vitest';

import { type DataStream, type LogFields, LocalEnvironment, type Logger, count, tumbling } from '../../../ts/index.ts';
import { TestEnvironment, TestSource, VirtualClock } from '../../../ts/testing/index.ts';

interface Line {
  readonly level: string;
  readonly text: string;
  readonly fields: LogFields;
}

/** A logger that keeps what is written. */
function keeping(lines: Line[], bound: LogFields = {}): Logger {
  const method = (level: string) => (...args: readonly unknown[]): void => {
    const [fields, text] = typeof args[0] === 'string' ? [{}, args[0]] : [args[0] as LogFields, String(args[1])];
    lines.push({ level, text, fields: { ...bound, ...fields } });
  };
  return { trace: method('trace'), debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error'), fatal: method('fatal'), child: (more: LogFields) => keeping(lines, { ...bound, ...more }) } as unknown as Logger;
}

const source = (): TestSource<number> => new TestSource<number>({ eventTime: false });
const assigned = (env: LocalEnvironment, from: TestSource<number>, name: string, idleMs?: number): DataStream<number> =>
  env.fromSource(from).assignTimestamps((n) => n, { outOfOrdernessMs: 0, ...(idleMs === undefined ? {} : { idleMs }) }).named(name);
const counted = (one: DataStream<number>, two: DataStream<number>): DataStream<unknown> => one.union(two).window(tumbling('1s')).aggregate({ n: count() });

describe('given two streams, one of which gives nothing', () => {
  async function started(idleMs?: number): Promise<{ env: TestEnvironment; talking: TestSource<number>; silent: TestSource<number>; warnings: () => Line[] }> {
    const lines: Line[] = [];
    const [talking, silent] = [source(), source()];
    const env = new TestEnvironment({ startMs: 1_000_000, logger: keeping(lines) });
    counted(assigned(env, talking, 'talking'), assigned(env, silent, 'silent', idleMs)).sink([]);
    await env.start();
    const warnings = (): Line[] => lines.splice(0).filter(({ level }) => level === 'warn');
    return { env, talking, silent, warnings };
  }

  it('then a warning says so after 60 s of the clock: once, with operator, assignTimestamps, line and fix', async () => {
    const { env, talking, warnings } = await started();
    await using _ = env;
    talking.push(1_000);
    await env.advanceTime(59_999);
    expect(warnings()).toEqual([]);
    talking.push(2_000);
    await env.advanceTime(1);
    const [line, ...more] = warnings();
    expect(more).toEqual([]);
    expect(line!.text).toMatch(/^event time of 'union' has waited for 'silent' \(.*held-back-warning\.test\.ts:\d+:\d+\) for 60 s, while .*write idleMs: 30_000 there/);
    expect(line!.fields).toMatchObject({ operator: 'union', heldBackBy: 'silent' });
    talking.push(3_000);
    await env.advanceTime(600_000);
    expect(warnings()).toEqual([]);
  });

  it('then it warns again only when that has gone on, and has fallen silent once more', async () => {
    const { env, talking, silent, warnings } = await started();
    await using _ = env;
    talking.push(10_000);
    await env.advanceTime(60_000);
    expect(warnings()).toHaveLength(1);
    silent.push(5_000);
    await env.advanceTime(59_999);
    expect(warnings()).toEqual([]);
    await env.advanceTime(1);
    expect(warnings().map(({ fields }) => fields['heldBackBy'])).toEqual(['silent']);
    // Now the other one is behind.
    silent.push(50_000);
    await env.advanceTime(60_000);
    expect(warnings().map(({ fields }) => fields['heldBackBy'])).toEqual(['talking']);
  });

  it('with idleMs, then nothing is held back', async () => {
    const { env, talking, warnings } = await started(30_000);
    await using _ = env;
    talking.push(1_000);
    await env.advanceTime(600_000);
    expect(warnings()).toEqual([]);
  });

  it('when it goes on now and then, or has ended, then nothing is said', async () => {
    const { env, talking, silent, warnings } = await started();
    await using _ = env;
    talking.push(1_000_000);
    for (let n = 0; n < 5; n++) {
      silent.push(n * 1_000);
      await env.advanceTime(50_000);
    }
    silent.end();
    await env.advanceTime(600_000);
    expect(warnings()).toEqual([]);
  });

  it('while the job is paused, then that time does not count', async () => {
    const { env, talking, warnings } = await started();
    await using _ = env;
    talking.push(1_000);
    await env.advanceTime(30_000);
    await env.activeJob!.pause();
    await env.advanceTime(600_000);
    await env.activeJob!.resume();
    await env.advanceTime(59_999);
    expect(warnings()).toEqual([]);
    await env.advanceTime(1);
    expect(warnings()).toHaveLength(1);
  });
});

it('given an ordinary environment, then the job looks by its clock itself', async () => {
  // given
  const lines: Line[] = [];
  const clock = new VirtualClock(1_000_000);
  const [talking, silent] = [source(), source()];
  const env = new LocalEnvironment('watched', { clock, logger: keeping(lines) });
  counted(assigned(env, talking, 'talking'), assigned(env, silent, 'silent')).sink([]);
  const job = await env.submit();
  await talking.push(1_000).catch(() => undefined);
  // when
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  };
  await until(() => job.metrics().operators.some(({ heldBackBy }) => heldBackBy === 'silent'));
  clock.advance(70_000);
  // then
  expect(lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['heldBackBy'])).toEqual(['silent']);
  talking.end();
  silent.end();
  await job.completion;
  // It looks no more.
  expect(clock.dueInMs).toBeUndefined();
});
