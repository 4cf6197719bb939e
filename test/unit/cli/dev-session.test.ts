import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type DevEvent, DevSession } from '../../../ts/cli/dev/dev-session.ts';

/** A process that notes what it is told, and ends when the test says so. */
class FakeChild extends EventEmitter {
  readonly connected = true;
  readonly told: string[] = [];

  send(message: { readonly type: string }): boolean {
    this.told.push(message.type);
    return true;
  }

  kill(signal: string): boolean {
    this.told.push(signal);
    return true;
  }

  end(code: number | null, signal: string | null = null): void {
    this.emit('close', code, signal);
  }
}

let folder: string;
let children: FakeChild[];
let events: DevEvent[];
let session: DevSession;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sage-session-')));
  children = [];
  events = [];
  const file = join(folder, 'main.ts');
  writeFileSync(file, '1');
  session = new DevSession({
    file,
    start: () => {
      children.push(new FakeChild());
      return children.at(-1) as unknown as ChildProcess;
    },
    onEvent: (event) => events.push(event),
  });
  session.start();
});
afterEach(async () => {
  for (const child of children) child.end(0);
  await session.close(false);
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

test('a program that does not end is told to stop, to cancel, and is killed', async () => {
  const [child] = children;
  const closed = session.close(false);
  expect(child!.told).toEqual(['stop']);
  vi.advanceTimersByTime(4_999);
  expect(child!.told).toEqual(['stop']);
  vi.advanceTimersByTime(1);
  expect(child!.told).toEqual(['stop', 'stop']);
  vi.advanceTimersByTime(2_000);
  expect(child!.told).toEqual(['stop', 'stop', 'SIGKILL']);
  child!.end(null, 'SIGKILL');
  await closed;
  expect(events.at(-1)).toEqual({ event: 'ended', run: 1, code: null, signal: 'SIGKILL', stopped: true });
  expect(vi.getTimerCount()).toBe(0);
});

test('one that Ctrl-C has reached is not told again, lest it takes that for a second one', async () => {
  const [child] = children;
  const closed = session.close(true);
  expect(child!.told).toEqual([]);
  child!.end(null, 'SIGINT');
  await closed;
  expect(child!.told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a second signal kills; closing when nothing runs waits for nothing', async () => {
  const [child] = children;
  session.kill();
  expect(child!.told).toEqual(['SIGKILL']);
  child!.end(null, 'SIGKILL');
  expect(events).toEqual([
    { event: 'started', run: 1 },
    { event: 'ended', run: 1, code: null, signal: 'SIGKILL', stopped: false },
  ]);
  await session.close(false);
});

test('a file that was saved while the program read it is a reason to start again; one that is being stopped gives none', async () => {
  const imported = join(folder, 'imported.ts');
  writeFileSync(imported, 'as it is now');
  // When the program says that it has read another text than there is
  children[0]!.emit('message', { type: 'imported', file: imported, signature: 'as it was' });
  vi.advanceTimersByTime(100);
  expect(events.at(-1)).toEqual({ event: 'changed', run: 1, files: [imported] });
  expect(children[0]!.told).toEqual(['stop']);
  children[0]!.emit('message', { type: 'imported', file: imported, signature: 'as it was' });
  vi.advanceTimersByTime(100);
  expect(events).toHaveLength(2);
  // Then the next run starts when the first has ended, and not before
  expect(children).toHaveLength(1);
  children[0]!.end(null, 'SIGTERM');
  await vi.waitFor(() => expect(children).toHaveLength(2));
  expect(events.map(({ event, run }) => `${event} ${run}`)).toEqual(['started 1', 'changed 1', 'ended 1', 'started 2']);
});
