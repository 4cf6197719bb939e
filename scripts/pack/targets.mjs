import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseTriple } from '@napi-rs/cli';
import { projectRoot } from '../setup/project.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';

/**
 * @typedef {object} PackTarget
 * @property {string} triple as Rust names it: `x86_64-unknown-linux-musl`
 * @property {string} platform as npm packages are named after it: `linux-x64-musl`
 * @property {string} os as `process.platform`
 * @property {string} cpu as `process.arch`
 * @property {'glibc' | 'musl' | undefined} libc
 * @property {string} binary name of the file with the core
 */

/**
 * The targets of package.json (`napi.targets`), the one place that lists them.
 *
 * @returns {PackTarget[]}
 */
export function allTargets() {
  const { napi } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  return napi.targets.map((triple) => describe(triple, napi.binaryName));
}

/** @returns {PackTarget} */
export function targetOf(triple) {
  const targets = allTargets();
  const target = targets.find((one) => one.triple === triple);
  if (target !== undefined) return target;
  throw new SetupProblem(`'${triple}' is no target of this package: use one of ${targets.map((one) => one.triple).join(', ')}.`);
}

/** The target of this machine: the one whose binary `npm run setup` puts into native/. */
export function hostTarget() {
  const libc = process.platform === 'linux' ? (process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc') : undefined;
  const target = allTargets().find((one) => one.os === process.platform && one.cpu === process.arch && one.libc === libc);
  if (target !== undefined) return target;
  throw new SetupProblem(`Nothing is published for ${process.platform}-${process.arch}: add its triple to napi.targets of package.json.`);
}

export function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function describe(triple, binaryName) {
  const { platformArchABI, platform, arch, abi } = parseTriple(triple);
  const libc = platform !== 'linux' ? undefined : abi === 'musl' ? 'musl' : 'glibc';
  return { triple, platform: platformArchABI, os: platform, cpu: arch, libc, binary: `${binaryName}.${platformArchABI}.node` };
}
