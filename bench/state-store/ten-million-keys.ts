// Ten million keys in state on disk, through the public API: each key once, then keys at random, read and written, and held against what
// they have to be. `node_modules/.bin/node bench/state-store/ten-million-keys.ts [keys] [memory in MiB] [timers]`; it takes minutes, and about 2 GB of
// disk where SAGE_STATE_DIR says. With `timers`, each key also has a timer.

import { readFileSync } from 'node:fs';

import { KeyedProcessFunction, LocalEnvironment, type ValueState } from '../../ts/index.ts';

interface Visit {
  readonly key: string;
  readonly amount: number;
}

interface Account {
  readonly count: number;
  readonly total: number;
  readonly name: string;
}

const KEY_CHARACTERS = 16;
/** A prime: keys that follow each other lie far apart, and none comes twice. */
const SPREAD = 4_294_967_291;
/** Has no factor in common with the number of keys, so that it visits each. */
const STRIDE = 7_368_787;
const NEVER_MS = 8e15;

const keys = Number(process.argv[2] ?? 10_000_000);
const memoryBytes = Number(process.argv[3] ?? 128) * 2 ** 20;
const withTimers = process.argv[4] === 'timers';
const again = Math.min(1_000_000, keys);

const keyOf = (n: number): string => ((n * 40_503) % SPREAD).toString(36).padStart(KEY_CHARACTERS, '0');

class Accounts extends KeyedProcessFunction<string, Visit, number> {
  #account!: ValueState<Account>;

  override open(): void {
    this.#account = this.ctx.state.value('account');
  }

  execute({ key, amount }: Visit): void {
    const { count, total } = this.#account.get() ?? { count: 0, total: 0 };
    this.#account.set({ count: count + 1, total: total + amount, name: `name ${amount}` });
    if (withTimers && count === 0) this.ctx.timers.processingTime(NEVER_MS);
    if (count === 1) {
      if (total !== amount || keyOf(amount) !== key) throw new Error(`key ${key} has a total of ${total}, and not of ${amount}`);
      this.collect(amount);
    }
  }
}

function residentPeakMiB(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}

let startedMs = performance.now();
function report(what: string, rows: number): void {
  const seconds = (performance.now() - startedMs) / 1e3;
  const heapMiB = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(`${what}: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} records/s; peak resident (VmHWM) ${residentPeakMiB()} MiB, heap ${heapMiB} MiB`);
  startedMs = performance.now();
}

function* visits(): Generator<Visit> {
  for (let n = 0; n < keys; n++) {
    yield { key: keyOf(n), amount: n };
    if ((n + 1) % 1_000_000 === 0) report(`keys up to ${(n + 1) / 1e6} million`, 1_000_000);
  }
  for (let i = 0, n = 0; i < again; i++) {
    n = (n + STRIDE) % keys;
    yield { key: keyOf(n), amount: n };
  }
}

/** Does not end before the job is stopped: the end of the input would fire all timers. */
async function* visitsWithoutEnd(): AsyncGenerator<Visit> {
  yield* visits();
  await stopped.promise;
}

const stopped = Promise.withResolvers<void>();
const allSeen = Promise.withResolvers<void>();
let seenAgain = 0;
const env = new LocalEnvironment('ten million keys', { state: { kind: 'disk', memoryBytes } });
env
  .fromSource(withTimers ? visitsWithoutEnd : visits)
  .keyBy('key')
  .process(Accounts)
  .sink(() => {
    if (++seenAgain === again) allSeen.resolve();
  });
const job = await env.submit();
if (withTimers) {
  await allSeen.promise;
  const stopping = job.stop();
  stopped.resolve();
  await stopping;
}
const result = await job.completion;
report('keys at random, read and written', again);
console.log(JSON.stringify(result.operators.find(({ name }) => name === 'process')?.metrics?.gauges));
if (seenAgain !== again) throw new Error(`${seenAgain} keys were seen again, and not ${again}`);
if (residentPeakMiB() > 1024) throw new Error(`the process took ${residentPeakMiB()} MiB, more than 1 GiB`);
