import { importsOf, resolveImport } from '../imports.ts';
import type { Rule } from '../source-tree.ts';

/** Lower first. Layers in one row do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['common'],
  ['functions'],
  ['transformations'],
  ['datastream'],
  ['compiler'],
  ['runtime', 'connectors'],
  ['observability'],
  ['jobmanager'],
  ['environment'],
  ['testing'],
  ['cli'],
  ['dashboard'],
];

const rankOf = (layer: string): number => layers.findIndex((row) => row.includes(layer));

/** The folder under ts/ a path is in; `index.ts` at the top is the public surface and above all layers. */
const layerOf = (path: string): string | undefined => /^ts\/([^/]+)\//.exec(path)?.[1];

/** TypeScript layers import downwards only, types included. */
export const typescriptLayers: Rule = (files) =>
  files
    .filter((file) => file.path.startsWith('ts/') && file.path.endsWith('.ts'))
    .flatMap((file) => {
      const layer = layerOf(file.path);
      if (layer === undefined) {
        const reason = 'only index.ts lies at the top of ts/: put it in a layer';
        return file.path === 'ts/index.ts' ? [] : [{ path: file.path, reason }];
      }
      if (rankOf(layer) < 0) return [{ path: file.path, reason: `ts/${layer} is no layer: give it a place in the order` }];
      return importsOf(file).flatMap((specifier) => {
        const target = resolveImport(file, specifier);
        if (target === undefined) return [];
        const below = layerOf(target);
        const fine = below === layer || (below !== undefined && rankOf(below) >= 0 && rankOf(below) < rankOf(layer));
        return fine ? [] : [{ path: file.path, reason: `${layer} must not import ${specifier}` }];
      });
    });

/** What runs on one machine with one kind of thread only; the compiler names none of it. */
const impure = /^node:(worker_threads|child_process|cluster|fs|net|http|https|process|os)(\/|$)/;

/** The compiler and all below it are pure: no threads, no files, no native code. */
export const pureCompiler: Rule = (files) =>
  files
    .filter((file) => /^ts\/(compiler|datastream|transformations)\//.test(file.path))
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => impure.test(specifier))
        .map((specifier) => ({ path: file.path, reason: `the compiler and what is below it must not import ${specifier}` })),
    );
