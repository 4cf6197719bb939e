/**
 * The skeleton of an agent: messages are classified by a model, many at a time and in order, nonsense is asked again, and each goes to
 * its desk. What the model cannot answer goes to a person, with its reason.
 *
 *     node examples/agent/main.ts
 *
 * `sage-kernel init --template agent` makes a project of this, with tests.
 */
import { LocalEnvironment } from 'sage-kernel';

import { type Model, StandInModel } from './model.ts';

const TOPICS = ['urgent', 'billing', 'other'] as const;

// Your model goes here.
const model: Model = new StandInModel();
const env = new LocalEnvironment('agent');

const messages = env.fromCollection([
  { id: 1, text: 'Since this morning the shop is down.' },
  { id: 2, text: 'I wait for a refund of last month.' },
  { id: 3, text: 'Do you have this in green?' },
  { id: 4, text: 'All my drawings are lost!' },
  { id: 5, text: 'Please send the invoice again.' },
  { id: 6, text: 'Is your poetry for sale?' },
]);

const classified = messages
  .mapAsync(
    async (message, { signal, attempt }) => {
      const answer = await model.complete(`Answer with one word of ${TOPICS.join(', ')}:\n${message.text}`, signal);
      // What a model says is input like any other: it may be anything.
      const topic = TOPICS.find((known) => known === answer.trim().toLowerCase());
      if (topic === undefined) throw new RangeError(`the model answered '${answer}'`);
      return { ...message, topic, attempt };
    },
    { concurrency: 4, timeoutMs: 30_000, retry: { retry: 2, backoffMs: 5 } },
  )
  .named('classify')
  .onError('deadLetter');

const desks = classified.split(({ topic }) => topic, TOPICS);
desks.urgent.sink(({ id, text, attempt }) => console.log(`call back at once: ${id}, ${text} (attempt ${attempt})`));
desks.billing.union(desks.other).sink(({ id, topic, attempt }) => console.log(`${id} to the desk for ${topic} (attempt ${attempt})`));
classified.deadLetters<{ id: number }>().sink(({ record, error, attempts }) => console.log(`a person should read ${record.id}: ${error.message} (${attempts} attempts)`));

const result = await env.submit({ autostop: true });
console.log(`${result.recordsIn} messages, ${result.recordsOut} handled`);
