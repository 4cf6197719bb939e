/**
 * A web server whose answers are pipelines: records leave as they are made, nothing is collected first. A client that reads
 * slowly holds back the pipeline, and one that goes away cancels it.
 *
 *     node examples/web-server/main.ts
 *
 * Serves `seattle-weather.csv` of `vega-datasets` and a clock on this machine, asks itself for both, and ends. In a framework with fetch
 * handlers `answer` is the handler.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { type DataStream, FileSource, JobManager, LocalEnvironment } from 'sage-kernel';

import { vegaDataset } from '../vega-dataset.ts';

/** `/sun` gives the days of this weather, one JSON line each; `/clock` the time, for as long as somebody reads. */
function answer(request: Request): Response {
  const wanted = new URL(request.url).pathname.slice(1);
  const env = new LocalEnvironment(wanted);
  const lines = wanted === 'clock' ? clock(env) : daysOf(wanted, env);
  const body = lines.collect({ signal: request.signal }).toReadableStream().pipeThrough(new TextEncoderStream());
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

function daysOf(weather: string, env: LocalEnvironment): DataStream<string> {
  return env
    .fromSource(FileSource.textLines(vegaDataset('seattle-weather.csv')))
    .map((line) => line.split(','))
    .filter((fields) => fields[5] === weather)
    .map(([date, , warmest]) => `${JSON.stringify({ date, warmest: Number(warmest) })}\n`);
}

function clock(env: LocalEnvironment): DataStream<string> {
  return env.fromSource(async function* () {
    for (;;) {
      yield `${JSON.stringify({ time: new Date() })}\n`;
      await sleep(10);
    }
  });
}

const server = createServer((request, response) => {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { headers, body } = answer(new Request(new URL(request.url!, 'http://127.0.0.1'), { signal: gone.signal }));
  response.writeHead(200, Object.fromEntries(headers));
  // Errors of the pipeline break the connection, so that a client never takes a part for the whole.
  pipeline(Readable.fromWeb(body!), response).catch(() => response.destroy());
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

for (const weather of ['snow', 'drizzle']) {
  const response = await fetch(`http://127.0.0.1:${port}/${weather}`);
  const days = (await response.text()).trimEnd().split('\n').map((line) => JSON.parse(line) as { date: string; warmest: number });
  const warmest = Math.max(...days.map((day) => day.warmest));
  console.log(`${weather}: ${days.length} days from ${days[0]?.date} on, the warmest had ${warmest} degrees`);
}

const client = new AbortController();
const { body } = await fetch(`http://127.0.0.1:${port}/clock`, { signal: client.signal });
await body!.getReader().read();
client.abort();
// The client is gone: the server hears of it, and nothing would end the clock but that.
const { id } = JobManager.instance().listJobs().find(({ name }) => name === 'clock')!;
const job = JobManager.instance().getJob(id);
await job.completion.catch(() => undefined);
console.log(`clock: its reader has left, and the job was ${job.status}`);

server.closeAllConnections();
server.close();
