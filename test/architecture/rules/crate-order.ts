import type { Rule, SourceFile, Violation } from '../source-tree.ts';

/** Lower first. Crates in one row do not use each other. */
const order: readonly (readonly string[])[] = [
  ['sage-types'],
  ['sage-frame', 'sage-store', 'sage-checkpoint'],
  ['sage-queue', 'sage-state', 'sage-expressions', 'sage-connectors'],
  ['sage-windows'],
  ['sage-runtime'],
  ['sage-node'],
];
const bindingCrate = 'sage-node';

const rankOf = (crate: string): number => order.findIndex((row) => row.includes(crate));

/** The names in all dependency tables of a manifest (normal, dev, build and per target). */
function dependenciesOf(manifest: SourceFile): string[] {
  const names: string[] = [];
  let inTable = false;
  for (const line of manifest.text.split('\n')) {
    const header = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      const single = /(?:^|\.)(?:dev-|build-)?dependencies\.([\w-]+)$/.exec(header)?.[1];
      if (single !== undefined) names.push(single);
      inTable = /(^|\.)(dev-|build-)?dependencies$/.test(header);
      continue;
    }
    const name = /^\s*([\w-]+)(?:\.[\w-]+)?\s*=/.exec(line)?.[1];
    if (inTable && name !== undefined) names.push(name);
  }
  return names;
}

function violationsOf(manifest: SourceFile): Violation[] {
  const crate = manifest.path.split('/')[1] ?? '';
  const rank = rankOf(crate);
  if (rank < 0) return [{ path: manifest.path, reason: `${crate} has no place in the order of crates` }];
  return dependenciesOf(manifest).flatMap((name) => {
    if (/^napi(-|$)/.test(name) && crate !== bindingCrate) {
      return [{ path: manifest.path, reason: `only ${bindingCrate} may use ${name}` }];
    }
    if (!name.startsWith('sage-')) return [];
    const below = rankOf(name);
    return below >= 0 && below < rank ? [] : [{ path: manifest.path, reason: `${crate} must not use ${name}` }];
  });
}

/** Crates use crates to their left only, and N-API stays in the binding. */
export const crateOrder: Rule = (files) =>
  files.filter((file) => /^crates\/[^/]+\/Cargo\.toml$/.test(file.path)).flatMap(violationsOf);
