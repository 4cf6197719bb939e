import { parentPort } from 'node:worker_threads';

import type { Variant } from './windowed-pipeline.ts';

// A thread whose environment says SAGE_CODEGEN=0: it runs pipelines in the linked form, beside one that generates code.
// That its instances are in one isolate is meant.
process.emitWarning = () => undefined;
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');
const { runPipeline } = await import('./windowed-pipeline.ts');

parentPort!.on('message', ({ seed, variant }: { readonly seed: number; readonly variant: Variant }) => {
  runPipeline(seed, variant).then(
    (given) => parentPort!.postMessage({ given, generatesCode: canGenerateCode() }),
    (error: unknown) => parentPort!.postMessage({ error }),
  );
});
