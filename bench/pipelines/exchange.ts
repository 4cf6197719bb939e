import { Worker } from 'node:worker_threads';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { type Mixed, MixedReceiver } from './mixed-record.ts';

/** Batches of 1,024 by `postMessage`, in one of several forms; eight batches in flight. */
const startPeer = (form: 'clone' | 'json' | 'msgpackr') => async ({ records }: VariantContext): Promise<Run> => {
  const unpackr = form === 'msgpackr' ? new (await import('msgpackr')).Packr({ structuredClone: false, useRecords: true }) : undefined;
  const read = (message: unknown): readonly Mixed[] => {
    if (unpackr !== undefined) return unpackr.unpack(message as Uint8Array) as Mixed[];
    return form === 'json' ? (JSON.parse(message as string) as Mixed[]) : (message as Mixed[]);
  };
  return () =>
    new Promise((resolve, reject) => {
      const receiver = new MixedReceiver(records);
      const worker = new Worker(new URL('exchange-sender.ts', import.meta.url), { workerData: { records, form } });
      worker.on('message', (message) => {
        for (const record of read(message)) receiver.take(record);
        worker.postMessage(null);
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve(receiver.outcome()));
    });
};

export const benchCase: BenchCase = {
  row: 'exchange',
  title: 'mixed records (4 numbers, 2 strings) from a worker to the main thread, 1,024 a batch, end to end',
  records: 4_000_000,
  quickRecords: 1_000_000,
  per: 'record',
  variants: [
    { name: 'postMessage, structured clone', warmups: 1, share: 0.5, start: startPeer('clone') },
    { name: 'postMessage, JSON', warmups: 1, share: 0.5, start: startPeer('json') },
    { name: 'postMessage, msgpackr records', warmups: 1, share: 0.5, start: startPeer('msgpackr') },
    {
      name: 'sage',
      ours: true,
      warmups: 1,
      async start({ records }) {
        const { exchange, receiving } = await import('./exchange-pipeline.ts');
        return async () => {
          const receiver = new MixedReceiver(records);
          receiving.by = receiver;
          const { isolates } = await exchange.run({ records }, { isolated: true });
          return { ...receiver.outcome(), figures: { isolates } };
        };
      },
    },
  ],
  goals: [{ ours: 'sage', peers: ['postMessage, structured clone'], atLeast: 6 }],
  informative: [
    ['sage', 'postMessage, JSON'],
    ['sage', 'postMessage, msgpackr records'],
  ],
};
