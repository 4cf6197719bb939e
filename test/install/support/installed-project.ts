import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { platformName } from '../../../ts/runtime/native/host-platform.ts';

/** Root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAMS = join(ROOT, 'test/install/programs');
const windows = process.platform === 'win32';

/** The platform whose core is installed: that of this machine, or of an emulator that `SAGE_INSTALL_NODES` names. */
export const platform: string = process.env['SAGE_INSTALL_PLATFORM'] ?? platformName();

const [os, cpu, abi] = platform.split('-') as [string, string, string?];

/** What tells npm the platform; without them it takes that of the Node it runs on. */
export const platformFlags: readonly string[] = [`--os=${os}`, `--cpu=${cpu}`, ...(os === 'linux' ? [`--libc=${abi === 'musl' ? 'musl' : 'glibc'}`] : [])];

/** The Nodes that run the programs: this one, or those that the heavy run brings. */
export const nodes: readonly string[] = process.env['SAGE_INSTALL_NODES']?.split(delimiter) ?? [process.execPath];

/** What a command left behind. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with only what a machine without build tools has. */
export const toolFolder: string = mkdtempSync(join(tmpdir(), 'sage-tools-'));

function fillToolFolder(): string {
  const folder = toolFolder;
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const tool of ['npm', 'sh', 'tar', 'gzip']) {
    const found = (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, tool)).find(existsSync);
    if (found !== undefined) symlinkSync(realpathSync(found), join(folder, tool));
  }
  return folder;
}

// Windows finds its commands by more than their place: there the path stays, less what has cargo in it.
const windowsPath = (): string => (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'cargo.exe'))).join(delimiter);

const env: NodeJS.ProcessEnv = windows ? { PATH: windowsPath(), SystemRoot: 'C:\\Windows' } : { PATH: fillToolFolder() };

const options = (cwd: string, command: string): { cwd: string; env: NodeJS.ProcessEnv; shell: boolean; timeout: number } => ({
  cwd,
  env: { ...env, HOME: cwd },
  shell: windows && !command.endsWith('.exe'),
  timeout: 120_000,
});

/** Runs a command with an environment in which there is a path to npm and nothing else. */
export function run(command: string, args: readonly string[], cwd: string): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, { ...options(cwd, command), encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The same while this process goes on, for a command that talks to it. */
export function runAsync(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const child = spawn(command, args, { ...options(cwd, command), stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => (written[stream] += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...written }));
  });
}

function must(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** The tarballs of the package, of the platform's core, and of what the package needs at run time. */
export interface Tarballs {
  readonly folder: string;
  readonly main: string;
  readonly core: string;
  readonly dependencies: readonly string[];
}

/** Packs what `npm run setup` has built (or takes what `SAGE_INSTALL_PACKAGES` holds), into a new folder. */
export function packAll(): Tarballs {
  const folder = mkdtempSync(join(tmpdir(), 'sage-packed-'));
  const given = process.env['SAGE_INSTALL_PACKAGES'];
  if (given === undefined) {
    // With the environment of the test: packing is done where the tools are.
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/pack.mjs'), '--from', 'native', '--output', folder], { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
  } else {
    for (const file of globSync('*.tgz', { cwd: given })) copyFileSync(join(given, file), join(folder, file));
  }
  must('npm', ['pack', '--silent', '--ignore-scripts', join(ROOT, 'node_modules/flatbuffers')], folder);
  const tarball = (pattern: string): string => {
    const [file, another] = globSync(pattern, { cwd: folder });
    if (file === undefined || another !== undefined) throw new Error(`${folder} must have one ${pattern}`);
    return join(folder, file);
  };
  return { folder, main: tarball('sage-kernel-[0-9]*.tgz'), core: tarball(`sage-kernel-${platform}-[0-9]*.tgz`), dependencies: [tarball('flatbuffers-*.tgz')] };
}

/** A folder with nothing in it but a manifest, the installed tarballs and our programs. */
export function installedProject(packages: readonly string[], manifest: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'sage-installed-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  // A cache of its own and no network: nothing can come from anywhere else than the tarballs.
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', join(folder, '.cache'), ...platformFlags];
  // npm asks the machine and not its flags whether a package that is named directly may be installed.
  if (platform !== platformName()) flags.push('--force');
  must('npm', ['install', ...flags, ...packages], folder);
  rmSync(join(folder, '.cache'), { recursive: true, force: true });
  for (const file of globSync('*', { cwd: PROGRAMS })) copyFileSync(join(PROGRAMS, file), join(folder, file));
  return folder;
}

