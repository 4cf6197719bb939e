import type * as Product from 'sage-kernel';

/** The product as a program sees it. */
export type Engine = typeof Product;

/** Imports the placed package, or another build of it: `SAGE_BENCH_ENGINE` is the address of its main module. */
export function importEngine(): Promise<Engine> {
  const other = process.env['SAGE_BENCH_ENGINE'];
  return (other === undefined ? import('sage-kernel') : import(other)) as Promise<Engine>;
}
