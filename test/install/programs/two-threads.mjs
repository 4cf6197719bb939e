import { LocalEnvironment } from 'sage-kernel';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

/** The squares of 1 to 3 through a job of this thread. */
async function squares() {
  const env = new LocalEnvironment('in a thread of the program');
  const sink = [];
  env.fromCollection([1, 2, 3]).map((n) => n * n).sink(sink);
  await env.submit({ autostop: true });
  return sink;
}

if (isMainThread) {
  const threads = [0, 1].map(() => new Worker(new URL(import.meta.url)));
  const answers = threads.map((thread) => new Promise((resolve, reject) => thread.on('message', resolve).on('error', reject)));
  console.log(JSON.stringify([...(await Promise.all(answers)), await squares()]));
} else {
  parentPort.postMessage(await squares());
}
