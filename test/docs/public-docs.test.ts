import { describe, expect, test } from 'vitest';

import { declarationOf, publicMethods, publicNames } from './public-names.ts';

const names = publicNames();

describe('every public name says what it is', () => {
  test('the list of public names is read at all', () => {
    expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(['LocalEnvironment', 'DataStream', 'count', 'JobResult', 'END']));
    expect(names.length).toBeGreaterThan(50);
  });

  test.each(names)('$name of $file', (name) => {
    const declaration = declarationOf(name);
    expect(declaration, 'is declared where ts/index.ts says').toBeDefined();
    expect(declaration!.comment, 'has a doc comment').toMatch(/^\/\*\*\s+\S/);
  });

  test('and so do the methods of public classes', () => {
    const methods = names.flatMap((name) => {
      const text = declarationOf(name)?.text ?? '';
      return /^export (abstract )?class /.test(text) ? publicMethods(name.name, text) : [];
    });
    expect(methods.map(({ what }) => what)).toEqual(expect.arrayContaining(['DataStream.map', 'LocalEnvironment.submit', 'JobManager.listJobs']));
    expect(methods.filter(({ comment }) => comment === undefined).map(({ what }) => what)).toEqual([]);
  });
});
