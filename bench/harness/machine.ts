import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Where and on what the figures were taken. */
export interface Machine {
  readonly node: string;
  readonly v8: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Above the number of cores, absolute times mean little. */
  readonly load: number;
  readonly commit: string;
  readonly takenAt: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    os: `${type()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Math.round(loadavg()[0]! * 10) / 10,
    commit: commit(),
    takenAt: new Date().toISOString(),
  };
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const head = git('rev-parse', '--short', 'HEAD').trim();
    return git('status', '--porcelain', 'ts', 'crates') === '' ? head : `${head} with changes`;
  } catch {
    return 'unknown';
  }
}
