import { expect, test } from 'vitest';
import { checkScriptNode } from '../../../scripts/setup/check-tools.mjs';
import { nodeVersionMatches, versionAtLeast } from '../../../scripts/setup/node-version.mjs';

const supported = '^22.12.0 || ^24.0.0 || >=26.0.0';

// The oracle is the meaning of such a range in npm's documentation of package.json.
test.each([
  ['22.11.0', false],
  ['22.12.0', true],
  ['v22.99.1', true],
  ['23.5.0', false],
  ['24.0.0', true],
  ['24.21.0\n', true],
  ['25.9.0', false],
  ['26.0.0', true],
  ['30.1.0', true],
  ['18.20.0', false],
])('Node %s is supported: %s', (version, matches) => {
  expect(nodeVersionMatches(version, supported)).toBe(matches);
});

test('a range it cannot read is refused, not guessed', () => {
  expect(() => nodeVersionMatches('24.0.0', '24.x')).toThrow("'24.x'");
});

test.each([
  ['1.88.0', '1.88', true],
  ['1.100.0', '1.88', true],
  ['1.87.9', '1.88', false],
  ['2.0.0', '1.88', true],
])('%s is at least %s: %s', (version, minimum, answer) => {
  expect(versionAtLeast(version, minimum)).toBe(answer);
});

test('set-up on a Node that is too old says in one sentence what to do', () => {
  expect(() => checkScriptNode('16.20.2')).toThrow(
    'Node 16.20.2 is too old to set up this project: install Node 18 or newer from https://nodejs.org.',
  );
  expect(() => checkScriptNode('18.0.0')).not.toThrow();
});
