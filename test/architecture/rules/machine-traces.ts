import type { Rule } from '../source-tree.ts';

// Put together at run time, so that this file does not break its own rule.
const slash = '/';
const traces: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`(^|[\\s"'\`(=:])${slash}(home|Users)${slash}[\\w.-]+`, 'm'), 'a home folder'],
  [new RegExp(`(^|[\\s"'\`(=:])${slash}(work|root)${slash}[\\w.-]+`, 'm'), 'a folder of one machine'],
  [/[A-Za-z]:\\Users\\/, 'a home folder'],
  [new RegExp(`file:${slash}{3}(home|Users|work|root)${slash}`), 'a folder of one machine'],
  [new RegExp(`\\b(registry|npm|crates|pypi|packages|proxy|mirror)\\.[\\w-]+(\\.[\\w-]+)*\\.(org|com|net|io|dev|internal|local)\\b`), 'a registry host'],
  [new RegExp(`\\b(static|index)\\.crates\\.io\\b`), 'a registry host'],
  [/"resolved":\s*"https?:/, 'the address of a registry in a lock file'],
];

/** Nothing that is tracked knows the machine it was written on or the registry it was installed from. */
export const machineTraces: Rule = (files) =>
  files.flatMap((file) =>
    traces.flatMap(([pattern, what]) => {
      const match = pattern.exec(file.text);
      if (match === null) return [];
      const line = file.text.slice(0, match.index).split('\n').length + (match[0].startsWith('\n') ? 1 : 0);
      return [{ path: file.path, reason: `line ${line} names ${what}: ${match[0].trim()}` }];
    }),
  );
