import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalEnvironment, type DeadLetter } from 'sage-kernel';

import type { ClassifiedTicket, Ticket } from '../src/classify.ts';
import type { Model } from '../src/model.ts';
import { triage } from '../src/triage.ts';

/** A model that gives these answers to each prompt, one after the other. */
class ScriptedModel implements Model {
  asked = 0;
  readonly #answers: Readonly<Record<string, readonly (string | Error)[]>>;
  readonly #next = new Map<string, number>();

  constructor(answers: Readonly<Record<string, readonly (string | Error)[]>>) {
    this.#answers = answers;
  }

  async complete(prompt: string): Promise<string> {
    const text = prompt.split('\n').at(-1)!;
    const turn = this.#next.get(text) ?? 0;
    this.#next.set(text, turn + 1);
    this.asked++;
    const answer = this.#answers[text]?.[turn] ?? new Error('no answer is left');
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

interface Outcome {
  readonly urgent: ClassifiedTicket[];
  readonly others: ClassifiedTicket[];
  readonly unclear: DeadLetter<Ticket>[];
}

async function run(model: Model, ...texts: readonly string[]): Promise<Outcome> {
  const env = new LocalEnvironment('test');
  const outcome: Outcome = { urgent: [], others: [], unclear: [] };
  const tickets = env.fromCollection(texts.map((text, n) => ({ id: n + 1, text })));
  triage(
    tickets,
    model,
    {
      urgent: (ticket) => void outcome.urgent.push(ticket),
      others: (ticket) => void outcome.others.push(ticket),
      unclear: (letter) => void outcome.unclear.push(letter),
    },
    1,
  );
  await env.submit({ autostop: true });
  return outcome;
}

test('every ticket reaches one desk, in order', async () => {
  const { urgent, others, unclear } = await run(new ScriptedModel({ a: ['billing'], b: [' Urgent\n'], c: ['other'] }), 'a', 'b', 'c');
  assert.deepEqual(urgent, [{ id: 2, text: 'b', topic: 'urgent' }]);
  assert.deepEqual(others.map(({ id, topic }) => [id, topic]), [[1, 'billing'], [3, 'other']]);
  assert.deepEqual(unclear, []);
});

test('a model that fails is asked again', async () => {
  const model = new ScriptedModel({ a: [new Error('busy'), new Error('busy'), 'other'] });
  const { others } = await run(model, 'a');
  assert.equal(others.length, 1);
  assert.equal(model.asked, 3);
});

test('a ticket without an answer that counts is put aside, and the others go on', async () => {
  const strange = 'I cannot know that.';
  const { others, unclear } = await run(new ScriptedModel({ a: [strange, strange, strange], b: ['other'] }), 'a', 'b');
  assert.deepEqual(others.map(({ id }) => id), [2]);
  assert.deepEqual(unclear.map(({ record, attempts }) => [record.id, attempts]), [[1, 3]]);
  assert.match(unclear[0]!.error.message, /I cannot know that/);
});
