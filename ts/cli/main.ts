#!/usr/bin/env node
/** The commands `sage-kernel` and `sagek`. */

/** Older ones lack what the package is written with; they still get as far as this file. */
const OLDEST_NODE = [22, 12] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(`sage-kernel needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${process.version}. Install a newer one, https://nodejs.org has it.`);
  process.exitCode = 1;
} else {
  const { runCommandLine } = await import('./run-command-line.ts');
  await runCommandLine(process.argv.slice(2));
}
