/** A program that does something only when Node was started with it. */
import { LocalEnvironment } from '../../../../ts/index.ts';

if (import.meta.main) {
  const env = new LocalEnvironment('main');
  env.fromCollection([1]).print();
  await env.submit({ autostop: true });
}
