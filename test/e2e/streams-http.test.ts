import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, fetch as undiciFetch, request } from 'undici';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { type DataStream, LocalEnvironment, StreamSource } from '../../ts/index.ts';
import { numbers, recordsOf } from './support/run-to-array.ts';

const ROWS = numbers(3000).map((id) => ({ id, text: `row ${id} é` }));
const LINES = ROWS.map((row) => `${JSON.stringify(row)}\n`).join('');

let server: Server | undefined;
const agent = new Agent({ keepAliveTimeout: 1 });

/** A server on loopback that ends with the test; gives its address. */
async function serve(handle: RequestListener): Promise<string> {
  server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

afterEach(async () => {
  server?.closeAllConnections();
  if (server !== undefined) await new Promise((resolve) => server!.close(resolve));
  server = undefined;
});

afterAll(() => agent.close());

describe('HTTP bodies', () => {
  it.each<[string, (url: string) => Promise<Parameters<typeof StreamSource.jsonLines>[0]>]>([
    ['fetch of Node', async (url) => (await fetch(url)).body as never],
    ['fetch of undici', async (url) => (await undiciFetch(url, { dispatcher: agent })).body!],
    ['request of undici', async (url) => (await request(url, { dispatcher: agent })).body],
  ])('given the body of a response from %s, then its lines are the records', async (_, open) => {
    const url = await serve((_request, response) => response.end(LINES));
    const body = await open(url);
    expect(await recordsOf((env) => env.fromSource(StreamSource.jsonLines(body)))).toEqual(ROWS);
  });

  it('given the request that a server got, then its lines are the records; and its response takes the answer', async () => {
    const url = await serve((incoming, response) => {
      const env = new LocalEnvironment('echo');
      env.fromSource(StreamSource.jsonLines<(typeof ROWS)[number]>(incoming)).filter(({ id }) => id % 2 === 0).map(({ id }) => `${id}\n`).sink(response);
      env.submit({ autostop: true }).catch((error: unknown) => response.destroy(error as Error));
    });
    const answer = await (await fetch(url, { method: 'POST', body: LINES })).text();
    expect(answer).toBe(numbers(1500).map((n) => `${2 * n}\n`).join(''));
  });

  it('given collect() as a stream, then it is the body of a request or a response', async () => {
    const url = await serve((incoming, response) => {
      incoming.pipe(response);
    });
    const lines = (): DataStream<string> => new LocalEnvironment().fromCollection(ROWS).map((row) => `${JSON.stringify(row)}\n`);
    const bytes = lines().collect().toReadableStream().pipeThrough(new TextEncoderStream());
    expect(await (await fetch(url, { method: 'POST', body: bytes, duplex: 'half' })).text()).toBe(LINES);
    const { body } = await request(url, { method: 'POST', body: lines().collect().toReadable({ objectMode: false }), dispatcher: agent });
    expect(await body.text()).toBe(LINES);
    expect(await new Response(Readable.toWeb(lines().collect().toReadable({ objectMode: false })) as never).text()).toBe(LINES);
  });

  it('given a client that goes away, then the job that writes to it fails and ends', async () => {
    let failure: Promise<unknown> | undefined;
    const url = await serve((_incoming, response) => {
      const env = new LocalEnvironment('endless');
      env.fromSource(function* () { for (;;) yield 'x'.repeat(1000); }, { unbounded: true }).sink(response).named('response');
      failure = env.submit({ autostop: true }).catch((error: unknown) => error);
    });
    const controller = new AbortController();
    const answer = await fetch(url, { signal: controller.signal });
    await answer.body!.getReader().read();
    controller.abort();
    expect(await failure).toMatchObject({ code: 'SAGE_USER_SINK', operator: 'response' });
  });

  it('given a server that breaks off, then the job fails and does not take the half for the whole', async () => {
    const url = await serve((_incoming, response) => {
      response.writeHead(200, { 'content-length': String(LINES.length * 2) });
      response.write(LINES, () => response.destroy());
    });
    const env = new LocalEnvironment();
    const { body } = await fetch(url);
    env.fromSource(StreamSource.jsonLines(body!)).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_SOURCE' });
  });

  it('given cancel, then the request is given up', async () => {
    const gone = Promise.withResolvers<void>();
    const url = await serve((_incoming, response) => {
      response.on('close', gone.resolve);
      response.write(LINES);
    });
    const env = new LocalEnvironment();
    const { body } = await fetch(url);
    let arrived = 0;
    env.fromSource(StreamSource.jsonLines(body!, { unbounded: true })).sink(() => { arrived++; });
    const job = await env.submit();
    await expect.poll(() => arrived, { interval: 1 }).toBe(ROWS.length);
    await job.cancel();
    await gone.promise;
  });
});
