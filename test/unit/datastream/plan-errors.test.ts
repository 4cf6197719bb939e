import { expect, test } from 'vitest';
import { FileSource } from '../../../ts/connectors/file-source.ts';
import { JsonLinesSink } from '../../../ts/connectors/json-lines-sink.ts';
import type { SageError } from '../../../ts/common/errors.ts';
import type { DataStream } from '../../../ts/datastream/streams.ts';
import { definePipeline } from '../../../ts/environment/define-pipeline.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { count, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { collectList, topN } from '../../../ts/functions/collecting-aggregators.ts';
import { BroadcastProcessFunction } from '../../../ts/functions/broadcast-process-function.ts';
import { KeyedProcessFunction } from '../../../ts/functions/keyed-process-function.ts';
import { MapFunction } from '../../../ts/functions/map-function.ts';
import { ProcessFunction } from '../../../ts/functions/process-function.ts';
import { atEnd, early, everyCount } from '../../../ts/functions/windows/trigger.ts';
import { tumbling } from '../../../ts/functions/windows/windows.ts';

interface Order {
  readonly id: number;
}

/** A stream without types, as JavaScript users have it. */
type Loose = Record<string, (...args: unknown[]) => Loose>;

const typed = (): DataStream<Order> => new LocalEnvironment('mine').fromCollection([{ id: 1 }]);
const loose = (): Loose => typed() as unknown as Loose;
const env = (): Record<string, (...args: unknown[]) => unknown> => new LocalEnvironment('mine') as never;
const two = (): Loose => {
  const stream = typed();
  return stream.connect(stream) as unknown as Loose;
};
const besideBroadcast = (): Loose => {
  const stream = typed();
  return stream.connect(stream.broadcast()) as unknown as Loose;
};
const keyed = (): Loose => typed().keyBy('id') as unknown as Loose;
/** Without the method that its base asks for, whose own source has the word. */
class HalfProcess extends (ProcessFunction as unknown as new () => object) {}
class HalfKeyed extends (KeyedProcessFunction as unknown as new () => object) {}
class HalfBroadcast extends (BroadcastProcessFunction as unknown as new () => object) {
  execute(): void {}
}
class Scale extends MapFunction<Order, Order> {
  constructor(_factor: unknown) {
    super();
  }
  execute(order: Order) {
    return order;
  }
}

/** Each: what is wrong, the call, the code, and a part of the message. The call stands on the line that must be shown. */
const wrong: readonly (readonly [string, () => unknown, string, RegExp])[] = [
  ['parallelism 0', () => typed().parallelism(0), 'SAGE_PLAN_PARALLELISM', /number 0/],
  ['parallelism -1', () => typed().parallelism(-1), 'SAGE_PLAN_PARALLELISM', /number -1/],
  ['parallelism 1.5', () => typed().parallelism(1.5), 'SAGE_PLAN_PARALLELISM', /number 1.5/],
  ['parallelism NaN', () => typed().parallelism(Number.NaN), 'SAGE_PLAN_PARALLELISM', /NaN/],
  ['parallelism Infinity', () => typed().parallelism(Infinity), 'SAGE_PLAN_PARALLELISM', /Infinity/],
  ['parallelism of a million', () => typed().parallelism(1e6), 'SAGE_PLAN_PARALLELISM', /1000000\n[^]* to 1024/],
  ['parallelism as text', () => loose()['parallelism']!('2'), 'SAGE_PLAN_PARALLELISM', /string "2"/],
  ['parallelism of a sink', () => typed().sink([], { parallelism: 0 }), 'SAGE_PLAN_PARALLELISM', /number 0/],
  ['parallelism of the environment', () => new LocalEnvironment('x', { parallelism: 0 }), 'SAGE_PLAN_PARALLELISM', /number 0/],
  ['too large a parallelism of the environment', () => new LocalEnvironment('x', { parallelism: 1025 }), 'SAGE_PLAN_PARALLELISM', /number 1025/],
  ['instances of a global reduce', () => typed().reduce((a) => a).parallelism(2), 'SAGE_PLAN_PARALLELISM', /without keyBy/],
  ['instances of a generator', () => new LocalEnvironment('x').fromSource(function* () { yield 1; }).parallelism(2), 'SAGE_PLAN_PARALLELISM', /cannot be split/],
  ['map of nothing', () => loose()['map']!(), 'SAGE_PLAN_FUNCTION', /map was given undefined/],
  ['map of a promise', () => loose()['map']!(Promise.resolve(1)), 'SAGE_PLAN_FUNCTION', /an object \(Promise\)/],
  ['flatMap of an array', () => loose()['flatMap']!([1]), 'SAGE_PLAN_FUNCTION', /an array/],
  ['filter of true', () => loose()['filter']!(true), 'SAGE_PLAN_FUNCTION', /the boolean true/],
  ['filter of a map class', () => typed().filter(Scale, 1), 'SAGE_PLAN_FUNCTION', /extends MapFunction/],
  ['a base class', () => loose()['map']!(MapFunction), 'SAGE_PLAN_FUNCTION', /no execute method/],
  ['a class argument with a function', () => typed().map(Scale, () => 1), 'SAGE_PLAN_UNCLONEABLE', /argument 1 of Scale/],
  ['arguments behind a lambda', () => loose()['map']!((x: unknown) => x, 1), 'SAGE_PLAN_ARGUMENT', /more argument/],
  ['reduce by a name', () => loose()['reduce']!('sum'), 'SAGE_PLAN_FUNCTION', /the string "sum"/],
  ['an unknown option', () => loose()['keyBy']!('id', { strategie: 'hash' }), 'SAGE_PLAN_ARGUMENT', /'strategie'/],
  ['options that are none', () => loose()['keyBy']!('id', 'hash'), 'SAGE_PLAN_ARGUMENT', /options of keyBy/],
  ['an unknown strategy', () => loose()['keyBy']!('id', { strategy: 'random' }), 'SAGE_PLAN_ARGUMENT', /"random"/],
  ['an empty key path', () => loose()['keyBy']!(''), 'SAGE_PLAN_ARGUMENT', /keyBy/],
  ['a key path with a hole', () => loose()['keyBy']!('a..b'), 'SAGE_PLAN_ARGUMENT', /"a..b"/],
  ['keys by a number', () => loose()['keyBy']!(0), 'SAGE_PLAN_FUNCTION', /the path of a field/],
  ['keys by several fields', () => loose()['keyBy']!(['id', 'price']), 'SAGE_PLAN_FUNCTION', /\[record\.a, record\.b\]/],
  ['an unknown emit', () => loose()['reduce']!((a: unknown) => a, { emit: 'now' }), 'SAGE_PLAN_ARGUMENT', /emit of reduce/],
  ['emit every 0 ms', () => typed().aggregate({ n: count() }, { emit: { everyMs: 0 } }), 'SAGE_PLAN_ARGUMENT', /emit of aggregate/],
  ['an aggregate of nothing', () => typed().aggregate({}), 'SAGE_PLAN_ARGUMENT', /an empty object/],
  ['an aggregator that was not called', () => loose()['aggregate']!({ n: count }), 'SAGE_PLAN_ARGUMENT', /'n' of aggregate is the function count/],
  ['an aggregator without result', () => loose()['aggregate']!({ n: { init: () => 0, add: () => 0 } }), 'SAGE_PLAN_ARGUMENT', /'n' of aggregate is an object with init, add, without result/],
  ['an aggregator with a strange merge', () => loose()['aggregate']!({ n: { init: () => 0, add: () => 0, result: () => 0, merge: 1 } }), 'SAGE_PLAN_ARGUMENT', /whose merge is the number 1/],
  ['an aggregator that was not made', () => loose()['aggregate']!({ n: class Mean { init() {} } }), 'SAGE_PLAN_ARGUMENT', /fix: Give an object of it: new Mean\(\)/],
  ['a sum of nothing', () => (sum as unknown as () => unknown)(), 'SAGE_PLAN_ARGUMENT', /sum\(\) needs to know/],
  ['a sum of a number', () => sum(3 as never), 'SAGE_PLAN_ARGUMENT', /sum was given the number 3/],
  ['a sum of a path with a hole', () => sum('a..b' as never), 'SAGE_PLAN_ARGUMENT', /sum was given the string "a..b"/],
  ['a list of a number', () => collectList(3 as never), 'SAGE_PLAN_ARGUMENT', /collectList was given the number 3/],
  ['the top 0', () => topN(0, 'id' as never), 'SAGE_PLAN_ARGUMENT', /topN cannot keep 0 records/],
  ['the top by nothing', () => topN(3, undefined as never), 'SAGE_PLAN_ARGUMENT', /fix: Write topN\(10, 'price'\)/],
  ['a logger that is none', () => new LocalEnvironment('x', { logger: console as never }), 'SAGE_PLAN_CONFIG', /logger/],
  ['a result named key', () => typed().keyBy('id').aggregate({ key: count() }), 'SAGE_PLAN_ARGUMENT', /named 'key'/],
  ['reduce behind broadcast', () => typed().keyBy('id', { strategy: 'broadcast' }).reduce((a) => a), 'SAGE_PLAN_KEY_STRATEGY', /'broadcast'/],
  ['aggregate behind roundRobin', () => typed().keyBy('id', { strategy: 'roundRobin' }).filter(() => true).aggregate({ n: count() }), 'SAGE_PLAN_KEY_STRATEGY', /'roundRobin'/],
  ['a stream of another environment', () => typed().union(new LocalEnvironment('other').fromBatch([1])), 'SAGE_PLAN_FOREIGN_STREAM', /'other'/],
  ['union with an array', () => loose()['union']!([1]), 'SAGE_PLAN_ARGUMENT', /an array/],
  ['an empty name', () => typed().named(''), 'SAGE_PLAN_ARGUMENT', /named was given/],
  ['a uid that is no text', () => loose()['uid']!(3), 'SAGE_PLAN_ARGUMENT', /uid was given the number 3/],
  ['a uid twice', () => typed().uid('a').map((x) => x).uid('a'), 'SAGE_PLAN_DUPLICATE_UID', /'a' already belongs to 'source'/],
  ['a uid twice, in options', () => typed().uid('a').sink([], { uid: 'a' }), 'SAGE_PLAN_DUPLICATE_UID', /'a'/],
  ['sink of nothing', () => loose()['sink']!(), 'SAGE_PLAN_SINK', /undefined/],
  ['sink of a path', () => loose()['sink']!('out.jsonl'), 'SAGE_PLAN_SINK', /"out.jsonl"/],
  ['sink of a frozen array', () => loose()['sink']!(Object.freeze([])), 'SAGE_PLAN_SINK', /frozen/],
  ['sink of a source', () => loose()['sink']!(FileSource.textLines('a')), 'SAGE_PLAN_SINK', /which is a source/],
  ['sink of a connector class', () => loose()['sink']!(JsonLinesSink), 'SAGE_PLAN_SINK', /sink\(new JsonLinesSink\(...\)\)/],
  ['sink of a map class', () => loose()['sink']!(Scale, { args: [1] }), 'SAGE_PLAN_FUNCTION', /extends MapFunction/],
  ['args that are no array', () => loose()['sink']!(class { execute() {} }, { args: 1 }), 'SAGE_PLAN_ARGUMENT', /args is the number 1/],
  ['a prefix that is no text', () => loose()['print']!(1), 'SAGE_PLAN_ARGUMENT', /print was given/],
  ['a source of nothing', () => env()['fromSource']!(), 'SAGE_PLAN_SOURCE', /undefined/],
  ['a source of a text', () => env()['fromBatch']!('abc'), 'SAGE_PLAN_SOURCE', /the string "abc"/],
  ['a source of a number', () => env()['fromSource']!(3), 'SAGE_PLAN_SOURCE', /the number 3/],
  ['a source of a plain object', () => env()['fromBatch']!({ a: 1 }), 'SAGE_PLAN_SOURCE', /an object/],
  ['a source of a sink', () => env()['fromSource']!(new JsonLinesSink('a')), 'SAGE_PLAN_SOURCE', /which is a sink/],
  ['a source of a connector class', () => env()['fromSource']!(FileSource), 'SAGE_PLAN_SOURCE', /fromSource\(FileSource\.jsonLines\(...\)\)/],
  ['a source of a promise', () => env()['fromBatch']!(Promise.resolve([1])), 'SAGE_PLAN_SOURCE', /Await it first/],
  ['a collection that is none', () => env()['fromCollection']!(new Set()), 'SAGE_PLAN_SOURCE', /Set/],
  ['arguments behind an array', () => env()['fromBatch']!([1], 2), 'SAGE_PLAN_ARGUMENT', /more arguments/],
  ['unbounded that is no boolean', () => env()['fromBatch']!([1], { unbounded: 'yes' }), 'SAGE_PLAN_ARGUMENT', /unbounded/],
  ['a map class as a source', () => env()['fromSource']!(Scale, 1), 'SAGE_PLAN_FUNCTION', /extends MapFunction/],
  ['a process of a function', () => loose()['process']!((x: unknown) => x), 'SAGE_PLAN_FUNCTION', /has no collect\(\)/],
  ['a process of a class of its own', () => loose()['process']!(class Own { execute() {} }), 'SAGE_PLAN_FUNCTION', /process was given Own, which has no collect\(\)/],
  ['a process of an object', () => loose()['process']!({ execute() {} }), 'SAGE_PLAN_FUNCTION', /extends ProcessFunction/],
  ['a process of a map class', () => loose()['process']!(Scale, 1), 'SAGE_PLAN_FUNCTION', /extends MapFunction/],
  ['a process without execute', () => loose()['process']!(HalfProcess), 'SAGE_PLAN_FUNCTION', /HalfProcess, which has no execute method/],
  ['a keyed process without execute', () => keyed()['process']!(HalfKeyed), 'SAGE_PLAN_FUNCTION', /HalfKeyed, which has no execute method/],
  ['a broadcast process without executeBroadcast', () => besideBroadcast()['process']!(HalfBroadcast), 'SAGE_PLAN_FUNCTION', /HalfBroadcast, which has no executeBroadcast method/],
  ['a broadcast process of half an object', () => besideBroadcast()['process']!(new HalfBroadcast()), 'SAGE_PLAN_FUNCTION', /fix: Add executeBroadcast\(\) to HalfBroadcast/],
  ['a window of negative seconds', () => loose()['window']!({ timeWindow: -1 }), 'SAGE_PLAN_ARGUMENT', /timeWindow of window is the number -1/],
  ['a window of seconds as text', () => loose()['window']!({ timeWindow: '60' }), 'SAGE_PLAN_ARGUMENT', /timeWindow of window is the string "60"/],
  ['early of nothing', () => early(undefined as never), 'SAGE_PLAN_ARGUMENT', /early was given undefined/],
  ['early of the end', () => early(atEnd() as never), 'SAGE_PLAN_ARGUMENT', /early was given atEnd\(\)/],
  ['early of early', () => early(early(everyCount(1)) as never), 'SAGE_PLAN_ARGUMENT', /early was given early\(...\)/],
  ['a side output of windows that is not that of lateTo', () => typed().window(tumbling('1s')).lateTo('late').aggregate({ n: count() }).sideOutput('lost'), 'SAGE_PLAN_ARGUMENT', /one side output, 'late' of lateTo/],
  ['a side output of windows without lateTo', () => typed().window(tumbling('1s')).aggregate({ n: count() }).sideOutput('late'), 'SAGE_PLAN_ARGUMENT', /lateTo\('late'\)/],
  ['a join without window and within', () => two()['keyBy']!('id')['join']!({ type: 'left' }, () => 1), 'SAGE_PLAN_ARGUMENT', /an object with type, which does not say which records belong together/],
  ['a Readable of null', () => typed().collect().toReadable(null as never), 'SAGE_PLAN_ARGUMENT', /options of toReadable are null/],
  ['a Readable of an unknown option', () => typed().collect().toReadable({ objectmode: false } as never), 'SAGE_PLAN_ARGUMENT', /'objectmode'/],
  ['a Readable of bytes, as text', () => typed().collect().toReadable({ objectMode: 'no' as never }), 'SAGE_PLAN_ARGUMENT', /objectMode of toReadable is the string "no"/],
  ['a Readable of half a record', () => typed().collect().toReadable({ highWaterMark: 0.5 }), 'SAGE_PLAN_ARGUMENT', /highWaterMark of toReadable is the number 0.5/],
  ['a ReadableStream of a number', () => typed().collect().toReadableStream(3 as never), 'SAGE_PLAN_ARGUMENT', /options of toReadableStream/],
  ['a ReadableStream without end', () => typed().collect().toReadableStream({ highWaterMark: Infinity }), 'SAGE_PLAN_ARGUMENT', /highWaterMark of toReadableStream is the number Infinity/],
  ['a pipeline of a path', () => definePipeline('/pipelines/bids.ts', () => {}), 'SAGE_PLAN_ARGUMENT', /"\/pipelines\/bids.ts" as the module/],
  ['a pipeline without a builder', () => definePipeline(import.meta.url, 3 as never), 'SAGE_PLAN_ARGUMENT', /the number 3 as the builder/],
  ['a name that is no text', () => new LocalEnvironment(3 as never), 'SAGE_PLAN_ARGUMENT', /LocalEnvironment/],
  ['a config that is no object', () => new LocalEnvironment('x', 3 as never), 'SAGE_PLAN_CONFIG', /the number 3/],
  ['isolated as text', () => new LocalEnvironment('x', { isolated: 'yes' as never }), 'SAGE_PLAN_CONFIG', /isolated/],
  ['a stall timeout as text', () => new LocalEnvironment('x', { stallTimeoutMs: '30s' as never }), 'SAGE_PLAN_CONFIG', /stallTimeoutMs is the string "30s"/],
  ['a stall timeout of nothing', () => new LocalEnvironment('x', { stallTimeoutMs: 0 }), 'SAGE_PLAN_CONFIG', /stallTimeoutMs is the number 0/],
  ['a stall timeout that is no number', () => new LocalEnvironment('x', { stallTimeoutMs: Number.NaN }), 'SAGE_PLAN_CONFIG', /stallTimeoutMs/],
  ['a place for state that there is not', () => new LocalEnvironment('x', { state: 'tape' as never }), 'SAGE_PLAN_CONFIG', /state is the string "tape"/],
  ['state on disk with no memory', () => new LocalEnvironment('x', { state: { kind: 'disk', memoryBytes: 0 } }), 'SAGE_PLAN_CONFIG', /state\.memoryBytes is the number 0/],
  ['state on disk in no directory', () => new LocalEnvironment('x', { state: { kind: 'disk', directory: '' } }), 'SAGE_PLAN_CONFIG', /state\.directory/],
  ['state on disk with a setting that there is not', () => new LocalEnvironment('x', { state: { kind: 'disk', memory: 1 } as never }), 'SAGE_PLAN_CONFIG', /state\.memory is the number 1/],
  ['a clock without hands', () => new LocalEnvironment('x', { clock: {} as never }), 'SAGE_PLAN_CONFIG', /clock/],
  ['a clock that is null', () => new LocalEnvironment('x', { clock: null as never }), 'SAGE_PLAN_CONFIG', /clock is null/],
  ['an unknown explain level', () => env()['explain']!('everything'), 'SAGE_PLAN_ARGUMENT', /everything/],
];

test.each(wrong)('%s: an error with code, line, expectation and fix', (what, call, code, message) => {
  let error: SageError | undefined;
  try {
    call();
  } catch (thrown) {
    error = thrown as SageError;
  }
  expect(error).toMatchObject({ name: 'SageError', code, domain: 'user', retryable: false });
  expect(error!.message).toMatch(message);
  expect(error!.declaredAt!.file).toBe(import.meta.filename);
  // The user's own line is shown: it holds the title of this case.
  expect(error!.message).toContain(`['${what}', `);
  expect(error!.message).toMatch(/\n {2}expected: .+\n {2}found: .+\n {2}fix: .+\n {2}see: sage-kernel\/docs\/errors\/SAGE_\w+\.md$/);
  expect(error!.help).not.toBe('');
});

test('a failing call leaves the pipeline as it was', () => {
  const environment = new LocalEnvironment('x');
  const stream = environment.fromBatch([1]);
  expect(() => stream.map(3 as never)).toThrow();
  expect(() => stream.sink([], { uid: '' })).toThrow();
  expect(() => stream.keyBy((n) => n, { strategy: 'no' as never })).toThrow();
  expect(environment.pipeline).toHaveLength(1);
});

test("'auto' and large numbers are fine", () => {
  const environment = new LocalEnvironment('x', { parallelism: 'auto', isolated: true, rate: 3 });
  environment.fromBatch([1]).parallelism(64).map((n) => n).parallelism('auto');
  expect(environment.config).toEqual({ parallelism: 'auto', isolated: true, rate: 3 });
});
