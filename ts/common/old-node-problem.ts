/** Older ones lack what the package is written with, and would fail later, somewhere else, in words of their own. */
const OLDEST_NODE = [22, 12] as const;

/** What to tell whoever runs this version of Node; `undefined` where it is new enough. */
export function oldNodeProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return undefined;
  return `sage-kernel needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${version}. Install a newer one, https://nodejs.org has it.`;
}
