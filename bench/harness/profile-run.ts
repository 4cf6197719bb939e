import { type Profiler, Session } from 'node:inspector/promises';

/** Runs something under the profiler of V8; the functions with the most time of their own, as lines. This thread only. */
export async function profileRun(run: () => Promise<unknown>, most = 16): Promise<string[]> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  await run();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return hottest(profile, most);
}

function hottest({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, most: number): string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.split('/').at(-1) ?? '';
      return [id, `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`];
    }),
  );
  const micros = new Map<string, number>();
  let total = 0;
  samples.forEach((id, n) => {
    const name = names.get(id)!;
    if (name.startsWith('(idle)') || name.includes('node:inspector')) return;
    micros.set(name, (micros.get(name) ?? 0) + timeDeltas[n]!);
    total += timeDeltas[n]!;
  });
  return [...micros]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([name, time]) => `  ${((100 * time) / total).toFixed(1).padStart(5)} %  ${(time / 1000).toFixed(0).padStart(6)} ms  ${name}`);
}
