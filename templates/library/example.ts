/** The package as others use it: `npm start`. */
import { LocalEnvironment } from 'sage-kernel';

import { pageTimes, ParseVisit } from './src/index.ts';

const env = new LocalEnvironment('example');

pageTimes(env.fromCollection(['/start 12', '/help 30.5', '/start 8', 'nonsense']).flatMap(ParseVisit)).sink(({ key, visits, meanSeconds }) =>
  console.log(`${key}: ${visits} visits, ${meanSeconds} s on average`),
);

await env.submit({ autostop: true });
