import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withSetupLock } from '../../../scripts/setup/setup-lock.mjs';

const lockModule = new URL('../../../scripts/setup/setup-lock.mjs', import.meta.url).href;
let folder = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A process that takes the lock, says so, and holds it until its standard input ends. */
async function holderProcess(): Promise<ChildProcess> {
  const code = `
    import { withSetupLock } from ${JSON.stringify(lockModule)};
    await withSetupLock(async () => {
      console.log('held');
      for await (const _ of process.stdin);
    }, () => {}, ${JSON.stringify(folder)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

describe('the lock of set-up', () => {
  test('lets one work at a time', async () => {
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
    };
    await Promise.all(['a', 'b', 'c'].map((name) => withSetupLock(work(name), () => {}, folder)));
    for (let i = 0; i < events.length; i += 2) {
      expect(events[i + 1]).toBe(events[i]?.replace('begins', 'ends'));
    }
    expect(events).toHaveLength(6);
  });

  test('waits for another process, and says for which', async () => {
    const holder = await holderProcess();
    const waitedFor: number[] = [];
    let released = false;
    const ours = withSetupLock(
      async () => expect(released).toBe(true),
      (pid) => {
        waitedFor.push(pid);
        released = true;
        holder.stdin?.end();
      },
      folder,
    );
    await ours;
    expect(waitedFor).toEqual([holder.pid]);
  });

  test('is taken over when its holder was killed', async () => {
    const holder = await holderProcess();
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await gone;
    expect(await withSetupLock(async () => 'done', () => {}, folder)).toBe('done');
  });

  test('is taken over by one of many when its holder is gone, and never by two', async () => {
    writeFileSync(join(folder, 'lock'), '999999999');
    let inside = 0;
    const work = async (): Promise<void> => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withSetupLock(work, () => {}, folder)));
  });

  test('is released when the work fails', async () => {
    const failing = withSetupLock(() => Promise.reject(new Error('no')), () => {}, folder);
    await expect(failing).rejects.toThrow('no');
    expect(await withSetupLock(async () => 'again', () => {}, folder)).toBe('again');
  });
});
