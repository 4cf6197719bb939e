import { expect, test } from 'vitest';
import type { LogEntry } from '../../../ts/functions/logger.ts';
import { LogRelay, lostEntry, receiveEntry, type RelayedEntry, relayAssignment } from '../../../ts/runtime/logging/log-relay.ts';

/** A relay whose lines wait in a queue until the test takes them, as in the port of a busy main isolate. */
function relay() {
  const assignment = relayAssignment('info');
  const waiting: RelayedEntry[] = [];
  // What crosses threads is cloned.
  const end = new LogRelay(assignment, (entry) => waiting.push(structuredClone(entry)));
  const take = (): LogEntry[] => waiting.splice(0).map((entry) => receiveEntry(entry, assignment));
  return { end, logger: end.logger, take, waiting, lost: () => lostEntry(assignment) };
}

test('an entry arrives with level, time, bindings, fields and message', () => {
  const { logger, take } = relay();
  const beforeMs = Date.now();

  logger.child({ operator: 'parse', instance: 2 }).warn({ n: 5n, when: new Date(0), list: [1, undefined] }, 'odd %s', 'one');

  const [entry] = take();
  expect(entry).toMatchObject({
    level: 'warn',
    bindings: { operator: 'parse', instance: 2 },
    fields: { n: '5', when: '1970-01-01T00:00:00.000Z', list: [1, '[undefined]'] },
    message: 'odd one',
  });
  expect(entry!.timeMs).toBeGreaterThanOrEqual(beforeMs);
});

test('an error among the fields is an error again', () => {
  const { logger, take } = relay();

  logger.error(Object.assign(new RangeError('too much', { cause: 'greed' }), { code: 'E_MUCH' }));

  const [entry] = take();
  const { err } = entry!.fields as { err: RangeError & { code: string } };
  expect(entry!.message).toBe('too much');
  expect(err).toBeInstanceOf(RangeError);
  expect(err).toMatchObject({ name: 'RangeError', message: 'too much', code: 'E_MUCH', cause: 'greed' });
});

test('levels below that of the logger do not cross', () => {
  const { logger, waiting } = relay();

  logger.debug('not wanted');

  expect(waiting).toEqual([]);
  expect(logger.isLevelEnabled!('debug')).toBe(false);
  expect(logger.isLevelEnabled!('error')).toBe(true);
});

test('what waits is bounded in lines; each line is written or counted, and warnings still come through', () => {
  const { end, logger, take, waiting } = relay();

  for (let n = 0; n < 25_000; n++) logger.info({ n }, 'flood');
  expect(waiting.length).toBe(10_000);
  logger.error('the reason');
  const first = take();
  logger.info('later');
  for (let n = 0; n < 10_100; n++) logger.info({ n }, 'again');
  end.end();
  const second = take();

  // The count stands where the lines would have been.
  expect(first.at(-2)).toMatchObject({ level: 'warn', fields: { dropped: 15_000 }, message: '15000 log lines were dropped: they came faster than they could be written' });
  expect(first.at(-1)).toMatchObject({ level: 'error', message: 'the reason' });
  expect(second[0]).toMatchObject({ message: 'later' });
  expect(second.at(-1)).toMatchObject({ fields: { dropped: 101 } });
  const flood = [...first, ...second].filter(({ fields }) => 'n' in fields);
  expect(flood.length + 15_000 + 101).toBe(25_000 + 10_100);
  expect(first.slice(0, 10_000).map(({ fields }) => fields['n'])).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
});

test('of a thread that is ended in the middle of a flood, the job knows how many lines are missing', () => {
  const { logger, take, waiting, lost } = relay();
  for (let n = 0; n < 10_500; n++) logger.info({ n }, 'flood');
  const neverCame = waiting.splice(9_990).length;
  take();

  expect(lost()).toMatchObject({ level: 'warn', fields: { dropped: 500 + neverCame } });
  expect(lost()).toBeUndefined();
});

test('and in characters: huge lines are cut, and few of them wait', () => {
  const { logger, waiting } = relay();

  for (let n = 0; n < 5_000; n++) logger.info({ text: 'x'.repeat(1e5) }, 'y'.repeat(1e5));

  const characters = waiting.reduce((sum, entry) => sum + entry.fields.length + entry.message.length, 0);
  expect(characters).toBeLessThan(9 * 2 ** 20);
  expect(waiting[0]!.message).toMatch(/^y+\.\.\. 90000 more characters$/);
});

test.each<[string, object]>([
  ['a cycle', (() => { const odd: Record<string, unknown> = {}; odd['self'] = odd; return odd; })()],
  ['a getter that throws', { get odd() { throw new Error('no'); } }],
  ['a proxy that throws', new Proxy({}, { ownKeys() { throw new Error('no'); } })],
  ['a function and a symbol', { f: () => 1, s: Symbol('odd') }],
  ['an error whose message is an object', { err: Object.assign(new Error('x'), { message: { odd: true } }) }],
  ['an error whose stack throws', { err: Object.defineProperty(new Error('x'), 'stack', { get() { throw new Error('no'); } }) }],
])('%s as fields does not fail the function that logs it', (_, fields) => {
  const { logger, take } = relay();

  logger.info(fields, 'odd');
  logger.info('values %o %d', fields, fields);

  expect(take().map(({ message }) => message)).toEqual(['odd', expect.stringMatching(/^values /)]);
});
