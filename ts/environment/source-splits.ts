import { statSync } from 'node:fs';

import { loadCore } from '../runtime/native/load-core.ts';
import { type NativeSourceSpec, isStandardInput } from '../transformations/source-descriptor.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import type { Transformation } from '../transformations/transformation.ts';

/**
 * How many instances of each reader are worth their start, by operator: looks at the files that exist now, where `'auto'`
 * has something to decide by it. What cannot be looked at is left away; whoever opens it says why.
 */
export function sourceSplits({ pipeline, config }: StreamEnvironment): ReadonlyMap<number, number> {
  const splits = new Map<number, number>();
  const isAuto = config.parallelism === 'auto' || pipeline.some(({ parallelism }) => parallelism === 'auto');
  if (!isAuto) return splits;
  for (const transformation of pipeline as readonly Transformation[]) {
    if (transformation.kind !== 'source' || transformation.source.form !== 'native' || !transformation.source.splittable) continue;
    const most = mostSplits(transformation.source.spec);
    if (most !== undefined) splits.set(transformation.id, most);
  }
  return splits;
}

function mostSplits(spec: NativeSourceSpec): number | undefined {
  try {
    const paths = typeof spec.path === 'string' ? [spec.path] : spec.path;
    // Opening a pipe would wait for who writes it.
    if (paths.some(isPipe)) return 1;
    const { maxSplits } = JSON.parse(loadCore().planSplits(JSON.stringify(spec), 1)) as { readonly maxSplits: number };
    return maxSplits;
  } catch {
    return undefined;
  }
}

function isPipe(path: string): boolean {
  if (isStandardInput(path)) return true;
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isDirectory();
}
