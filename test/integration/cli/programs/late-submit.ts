/** A program whose top level is over before it submits. */
import { LocalEnvironment } from '../../../../ts/index.ts';

async function main(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  const env = new LocalEnvironment('late');
  env.fromCollection([1, 2, 3]).sink(() => undefined);
  const result = await env.submit({ autostop: true });
  console.log('records', result.recordsIn);
}

void main();
