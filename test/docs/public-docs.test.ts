import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import * as library from '../../ts/index.ts';
import * as testing from '../../ts/testing/index.ts';
import { readApi } from '../../scripts/docs/api-reference.ts';
import { parseDocComment } from '../../scripts/docs/doc-comment.ts';
import { publicNames } from '../../scripts/docs/public-names.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';

const entries = readApi().areas.flatMap((area) => area.entries);

describe('every public name says what it is', () => {
  test('the list of public names is that of the library', () => {
    const values = publicNames().filter(({ isType }) => !isType);
    expect(values.map(({ name }) => name).toSorted()).toEqual([...Object.keys(library), ...Object.keys(testing)].toSorted());
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['LocalEnvironment', 'DataStream', 'count', 'JobResult', 'END']));
    expect(entries).toHaveLength(publicNames().length);
  });

  test.each(entries)('$name of $file', ({ comment }) => {
    expect(comment?.text, 'has a doc comment').toMatch(/\S/);
  });

  test('and so do the methods of public classes', () => {
    // Overrides say what they do where they are declared first.
    const methods = entries
      .filter(({ kind }) => kind === 'class')
      .flatMap(({ name, members }) => members.filter((member) => (member.kind === 'method' || member.kind === 'accessor') && !member.isOverride && !member.name.startsWith('[')).map((member) => ({ what: `${name}.${member.name}`, comment: member.comment })));
    expect(methods.map(({ what }) => what)).toEqual(expect.arrayContaining(['DataStream.map', 'DataStream.named', 'LocalEnvironment.submit', 'JobManager.listJobs', 'FlatMapFunction.collect']));
    expect(methods.filter(({ comment }) => comment === undefined).map(({ what }) => what)).toEqual([]);
  });
});

describe('the API reference', () => {
  test('says of each member what it is: no cell of its tables is empty', () => {
    const pages = globSync('docs/api/*.md', { cwd: ROOT }).map((path) => ({ path, rows: readFileSync(join(ROOT, path), 'utf8').split('\n').filter((line) => line.startsWith('| `')) }));
    expect(pages.flatMap(({ rows }) => rows).length).toBeGreaterThan(300);
    expect(pages.flatMap(({ path, rows }) => rows.filter((row) => /\|\s*\|$/.test(row)).map((row) => `${path}: ${row}`))).toEqual([]);
  });

  test('is what the sources make of it', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/generate-api.mjs'), '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('has overloads, but not what implements them, and members of bases without a public name', () => {
    // Given DataStream.map, which has three overloads, and `named`, which StreamBase declares
    const stream = entries.find(({ name }) => name === 'DataStream')!;
    // Then
    expect(stream.members.find(({ name }) => name === 'map')!.signatures.map((text) => text.slice(0, 8))).toEqual(['map<R>(f', 'map<R, A', 'map<R>(i']);
    expect(stream.members.find(({ name }) => name === 'named')!.signatures).toEqual(['named(name: string): this']);
    expect(stream.members.some(({ name }) => name.startsWith('#'))).toBe(false);
  });
});

describe('a doc comment', () => {
  test('is taken apart into text and tags', () => {
    const raw = '/**\n * Does it.\n *\n * ```ts\n * @decorated\n * ```\n *\n * @param what a thing,\n *   or two\n * @throws SageError SAGE_INTERNAL\n */';
    expect(parseDocComment(raw)).toEqual({
      text: 'Does it.\n\n```ts\n@decorated\n```',
      params: [['what', 'a thing,\n  or two']],
      throws: ['SageError SAGE_INTERNAL'],
    });
  });

  test('may have its tag on its only line', () => {
    expect(parseDocComment('/** Does it. @throws SageError a plan error. */')).toEqual({ text: 'Does it.', params: [], throws: ['SageError a plan error.'] });
  });

  test('with a tag that nothing prints is refused', () => {
    expect(() => parseDocComment('/** Does it. @since 1.0 */')).toThrow('nothing prints the tag @since');
  });
});
