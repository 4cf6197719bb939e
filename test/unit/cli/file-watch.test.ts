import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { fileSignature } from '../../../ts/cli/dev/file-signature.ts';
import { FileWatch } from '../../../ts/cli/dev/file-watch.ts';

let folder: string;
let watch: FileWatch;
let told: string[][];
let wake: () => void;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sage-watch-')));
  told = [];
  watch = new FileWatch((files) => {
    told.push(files.toSorted());
    wake();
  });
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string): string => join(folder, name);
const save = (name: string, text: string): void => writeFileSync(path(name), text);

/** Does something and waits until the watch tells of a change. */
async function changeBy(action: () => void): Promise<string[]> {
  const change = new Promise<void>((resolve) => {
    wake = resolve;
  });
  action();
  await change;
  return told.at(-1)!;
}

test('files that are saved in one go are told of once, in whichever folder they are; others are not', async () => {
  mkdirSync(path('below'));
  for (const name of ['a.ts', 'b.ts', 'below/c.ts', 'other.ts']) save(name, '1');
  for (const name of ['a.ts', 'b.ts', 'below/c.ts']) watch.add(path(name));
  const changed = await changeBy(() => {
    save('other.ts', 'not watched');
    readFileSync(path('b.ts'));
    save('a.ts', 'changed');
    save('a.ts', 'changed again');
    save('below/c.ts', 'changed too');
  });
  expect(changed).toEqual([path('a.ts'), path('below/c.ts')]);
  expect(told).toHaveLength(1);
});

test('a file that was saved between being read and being watched is told of', async () => {
  save('a.ts', 'as it was read');
  const signature = fileSignature(path('a.ts'));
  save('a.ts', 'as it is now');
  expect(await changeBy(() => watch.add(path('a.ts'), signature))).toEqual([path('a.ts')]);
});

test('a file that takes the name of another is a change, also with the same text; so are removing and making it', async () => {
  save('a.ts', 'text');
  watch.add(path('a.ts'));
  watch.add(path('later.ts'));
  expect(await changeBy(() => {
    save('a.ts.tmp', 'text');
    renameSync(path('a.ts.tmp'), path('a.ts'));
  })).toEqual([path('a.ts')]);
  expect(await changeBy(() => unlinkSync(path('a.ts')))).toEqual([path('a.ts')]);
  expect(await changeBy(() => save('later.ts', 'here'))).toEqual([path('later.ts')]);
});

test('a folder that is not there is no reason to fail', () => {
  expect(() => watch.add(path('nowhere/a.ts'))).not.toThrow();
});

test('files that are watched no longer are not told of', async () => {
  for (const name of ['a.ts', 'b.ts']) {
    save(name, '1');
    watch.add(path(name));
  }
  watch.keepOnly(new Set([path('b.ts')]));
  expect(await changeBy(() => {
    save('a.ts', 'changed');
    save('b.ts', 'changed');
  })).toEqual([path('b.ts')]);
});
