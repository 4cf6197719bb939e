/**
 * @typedef {object} LockEntry an entry of `packages` in a lock file of npm
 * @property {string} [version]
 * @property {boolean} [optional]
 * @property {boolean} [peer]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 */

/**
 * @typedef {object} Machine
 * @property {string} os as `process.platform`
 * @property {string} cpu as `process.arch`
 * @property {() => 'glibc' | 'musl' | undefined} libc asked only when an entry depends on it; it takes a while
 */

let libc;

/** @type {Machine} */
export const thisMachine = {
  os: process.platform,
  cpu: process.arch,
  libc: () => {
    if (process.platform !== 'linux') return undefined;
    libc ??= process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
    return libc;
  },
};

/**
 * Whether a package of the lock file must be installed on a machine. Binaries are optional packages with an
 * `os` and a `cpu`: those of this machine are needed, and npm leaves one out without a word when the Node that
 * runs npm is too old for it.
 *
 * @param {LockEntry} entry
 * @param {Machine} machine
 */
export function mustBeInstalled(entry, machine = thisMachine) {
  if (entry.optional !== true) return entry.peer !== true;
  if (entry.os === undefined || entry.cpu === undefined) return false;
  if (!allows(entry.os, machine.os) || !allows(entry.cpu, machine.cpu)) return false;
  return entry.libc === undefined || allows(entry.libc, machine.libc());
}

/** `["linux"]` allows one, `["!win32"]` all others. */
function allows(list, value) {
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((item) => item.startsWith('!'));
}
