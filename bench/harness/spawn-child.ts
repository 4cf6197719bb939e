import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ChildReport, ChildSpec } from './child-protocol.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const COUNTER = new URL('count-crossings.mjs', import.meta.url).href;

/** What the counters of one process and its workers say. */
export interface CrossingCounts {
  /** Calls of core functions, by name. */
  readonly calls: Readonly<Record<string, number>>;
  /** Stage functions that were made, and how. */
  readonly segments: readonly { readonly stage: string; readonly form: 'fused' | 'linked'; readonly reason?: string }[];
}

/** Runs a variant in a fresh process. @throws Error when it fails. */
export function runChild(spec: ChildSpec, flags: readonly string[] = [], environment: Record<string, string> = {}): Promise<ChildReport> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [JSON.stringify(spec)], {
      execArgv: ['--expose-gc', '--max-old-space-size=6144', ...flags],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let report: ChildReport | undefined;
    let complaints = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      complaints = (complaints + chunk.toString()).slice(-8000);
    });
    child.on('message', (message: ChildReport) => {
      report = message;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (report !== undefined && code === 0) resolve(report);
      else reject(new Error(`${spec.row}/${spec.variant} ended with ${code}: ${/^.*Error.*$/m.exec(complaints)?.[0] ?? complaints.slice(0, 500)}`));
    });
  });
}

/** Runs a variant of ours once with the core behind counters. */
export async function countCrossings(spec: ChildSpec, flags: readonly string[] = []): Promise<CrossingCounts> {
  const folder = mkdtempSync(join(tmpdir(), 'sage-bench-'));
  const file = join(folder, 'counts');
  try {
    await runChild({ ...spec, mode: 'count' }, [...flags, `--import=${COUNTER}`], { SAGE_BENCH_COUNTS: file });
    const calls: Record<string, number> = {};
    const segments: CrossingCounts['segments'][number][] = [];
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const counts = JSON.parse(line) as CrossingCounts;
      for (const [name, count] of Object.entries(counts.calls)) calls[name] = (calls[name] ?? 0) + count;
      segments.push(...counts.segments);
    }
    return { calls, segments };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
