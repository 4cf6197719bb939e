import { type ConnectedStreams, type DataStream, type KeyedStream, type WindowedStream, type WithKey, aggregator, avg, count, countDistinct, countWindow, globalWindow, max, min, session, sliding, sum, tumbling } from '../../../ts/index.ts';
import { DISORDER_MS, MORE_THAN_ALL_MS, compute, rowOfResult, windowRow } from './functions.ts';
import type { Row, Step } from './graph.ts';
import { CoMapRows, CoMapThree, KeyedProcesses, PairRows, type RowWindow, StampRow, WindowProcesses, rowOfWindow } from './timed-classes.ts';
import type { JoinKind, TimedCall, WindowKind } from './timed-calls.ts';
import type { Spec, Trouble } from './trouble.ts';

type Rows = DataStream<Row>;
type KeyedRows = KeyedStream<unknown, Row>;
type Windows = WindowedStream<WithKey<unknown>, Row>;
type Two = ConnectedStreams<[Row, Row]>;

/** A step with what its functions need. */
export interface TimedStep {
  readonly step: Step;
  readonly spec: Spec;
  readonly trouble: Trouble;
  /** How many instances the step has, if it says so. */
  readonly parallelism: number | 'auto' | undefined;
}

/** Builds a call of event time, windows, several inputs or state of keys. */
export function buildTimed(call: TimedCall, inputs: readonly Rows[], one: TimedStep): Rows {
  const { step, spec, trouble } = one;
  const { salt } = step;
  const [input] = inputs as [Rows];
  switch (call.kind) {
    case 'timestamps':
      return input.assignTimestamps((row) => (trouble.strike(row), call.tight ? row.t : compute.time(salt, row)), { outOfOrdernessMs: call.tight ? DISORDER_MS : MORE_THAN_ALL_MS });
    case 'stamp':
      return input.map(StampRow);
    case 'window':
      return buildWindow(call, input, trouble);
    case 'join':
      return buildJoin(call.join, call.own, inputs, one);
    case 'comap': {
      const connected = keyedByItself(call.own, inputs, one);
      if (call.isClass) return inputs.length === 2 ? connected.comap(CoMapRows, spec) as Rows : (connected as unknown as ConnectedStreams<[Row, Row, Row]>).comap(CoMapThree, spec) as Rows;
      return connected.comap(inputs.map((_, n) => (row: Row) => trouble.give(row, () => compute.map(salt + n, row))) as never) as Rows;
    }
    case 'keyed':
      return (input as KeyedRows).process(KeyedProcesses, spec, call.form);
  }
}

/** What a window step does behind its own call: its results become rows. */
export function rowsOfWindows(call: TimedCall & { kind: 'window' }, stream: DataStream<unknown>, name: string): Rows {
  const results = stream as DataStream<Record<string, unknown> & { window: { start: number; end: number } }>;
  switch (call.form) {
    case 'numbers':
    case 'all':
    case 'sizes':
      return results.map(({ window, ...rest }) => windowRow(window, rowOfResult(rest))).named(`${name}'`);
    case 'topN':
      return results.map(({ window, key, top }) => windowRow(window, rowOfResult({ key, n: 2, top: (top as Row[]).map(({ v }) => v) }))).named(`${name}'`);
    default:
      return stream as Rows;
  }
}

function buildWindow({ window, form, latenessMs, tagsLate }: TimedCall & { kind: 'window' }, input: Rows, trouble: Trouble): Rows {
  // That nothing is late is what these graphs rely on, so that it makes no difference for how long windows stay open.
  const open = (windows: unknown): Windows => (window.kind === 'count' || latenessMs === 0 ? (windows as Windows) : (windows as Windows).allowedLateness(latenessMs));
  const windows = open(input.window(toSpec(window)));
  const tagged = tagsLate ? windows.lateTo('late') : windows;
  const struck = <V>(row: Row, value: V): V => (trouble.strike(row), value);
  switch (form) {
    case 'numbers':
      return tagged.aggregate({ n: count(), total: sum('v'), lo: min('v'), hi: max((row) => struck(row, row.v)), mean: avg('v') }) as unknown as Rows;
    case 'all': {
      const squares = aggregator({ init: () => 0, add: (a: number, row: Row) => a + row.v ** 2, merge: (a, b) => a + b, result: (a) => a });
      return tagged.aggregate({ n: count(), total: sum((row) => struck(row, row.v)), squares, different: countDistinct('v') }) as unknown as Rows;
    }
    case 'sizes':
      return tagged.aggregate({ n: count() }) as unknown as Rows;
    case 'reduce':
      return tagged.reduce((a, b) => compute.reduce(a, b));
    case 'topN':
      return tagged.topN(2, 'v') as unknown as Rows;
    case 'map':
      return tagged.map((contents: RowWindow) => rowOfWindow(contents)) as Rows;
    case 'process':
      return tagged.process(WindowProcesses as never) as Rows;
  }
}

function toSpec(window: WindowKind): ReturnType<typeof tumbling> {
  switch (window.kind) {
    case 'tumbling':
      return tumbling(window.sizeMs, { offset: window.offsetMs });
    case 'sliding':
      return sliding(window.sizeMs, window.slideMs, { offset: window.offsetMs });
    case 'session':
      return session(window.gapMs);
    case 'global':
      return globalWindow();
    case 'count':
      return countWindow(window.size, window.slide);
  }
}

/** Streams side by side: with a key of the step, in as many instances as it says, or as they come. */
function keyedByItself(own: boolean, inputs: readonly Rows[], { step: { salt }, parallelism }: TimedStep): Two {
  const [first, ...others] = inputs as [Rows, Rows];
  const connected = first.connect(...others) as unknown as Two;
  if (!own) return connected;
  const keyed = connected.keyBy((row: Row) => compute.key(salt, row)) as Two;
  return parallelism === undefined ? keyed : keyed.parallelism(parallelism);
}

function buildJoin(join: JoinKind, own: boolean, inputs: readonly Rows[], one: TimedStep): Rows {
  const { spec, trouble, step, parallelism } = one;
  const { salt } = step;
  const give = (left: Row | undefined, right: Row | undefined): Row | undefined | Promise<Row | undefined> => trouble.give(left ?? right!, () => compute.pair(salt, left, right));
  switch (join.by) {
    case 'class':
      return keyedByItself(own, inputs, one).join(PairRows, spec);
    case 'window':
      return keyedByItself(own, inputs, one).join({ window: toSpec(join.window), type: join.type }, give) as Rows;
    case 'interval':
      return keyedByItself(own, inputs, one).join({ within: { before: join.beforeMs, after: join.afterMs }, type: join.type }, give) as Rows;
    case 'asOf': {
      const [left, right] = (own ? inputs.map((rows) => keyedInstances(rows.keyBy((row) => compute.key(salt, row)), parallelism)) : inputs) as [KeyedRows, KeyedRows];
      const options = { type: join.type, ...(join.withinMs === undefined ? {} : { within: join.withinMs }) };
      return left.asOfJoin(right.map(StampRow) as KeyedRows, options, (a, b) => trouble.give(a, () => compute.asOf(salt, a, b))) as Rows;
    }
  }
}

function keyedInstances(keyed: KeyedRows, parallelism: number | 'auto' | undefined): KeyedRows {
  return parallelism === undefined ? keyed : keyed.parallelism(parallelism);
}
