/** Sends batches of 1,024 records to the main thread, a few of them in flight. */
import { parentPort, workerData } from 'node:worker_threads';

import { makeMixed } from './mixed-record.ts';

const BATCH = 1024;
const IN_FLIGHT = 8;

const { records, form } = workerData as { records: number; form: 'clone' | 'json' | 'msgpackr' };
const all = makeMixed(records);
const packr = form === 'msgpackr' ? new (await import('msgpackr')).Packr({ structuredClone: false, useRecords: true }) : undefined;
let next = 0;
let inFlight = 0;

function send(): void {
  while (next < all.length && inFlight < IN_FLIGHT) {
    const batch = all.slice(next, next + BATCH);
    next += batch.length;
    inFlight++;
    if (packr !== undefined) parentPort!.postMessage(packr.pack(batch));
    else parentPort!.postMessage(form === 'json' ? JSON.stringify(batch) : batch);
  }
}

parentPort!.on('message', () => {
  inFlight--;
  if (next >= all.length && inFlight === 0) parentPort!.close();
  else send();
});
send();
