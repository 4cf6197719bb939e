import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSageError, LocalEnvironment } from 'sage-kernel';

import type { ClassifiedTicket } from '../src/classify.ts';
import type { Model } from '../src/model.ts';
import { triage } from '../src/triage.ts';

/** A model that gives these answers, one after the other. */
class ScriptedModel implements Model {
  asked = 0;
  readonly #answers: readonly (string | Error)[];

  constructor(...answers: readonly (string | Error)[]) {
    this.#answers = answers;
  }

  async complete(): Promise<string> {
    const answer = this.#answers[this.asked++] ?? new Error('no answer is left');
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

async function run(model: Model, ...texts: readonly string[]): Promise<{ urgent: ClassifiedTicket[]; others: ClassifiedTicket[] }> {
  const env = new LocalEnvironment('test');
  const desks = { urgent: [] as ClassifiedTicket[], others: [] as ClassifiedTicket[] };
  const tickets = env.fromCollection(texts.map((text, n) => ({ id: n + 1, text })));
  triage(tickets, model, { urgent: (ticket) => void desks.urgent.push(ticket), others: (ticket) => void desks.others.push(ticket) }, 1);
  await env.submit({ autostop: true });
  return desks;
}

test('every ticket reaches one desk', async () => {
  const { urgent, others } = await run(new ScriptedModel('billing', ' Urgent\n', 'other'), 'a', 'b', 'c');
  assert.deepEqual(urgent, [{ id: 2, text: 'b', topic: 'urgent' }]);
  assert.deepEqual(others.map(({ id, topic }) => [id, topic]), [[1, 'billing'], [3, 'other']]);
});

test('a model that fails is asked again', async () => {
  const model = new ScriptedModel(new Error('busy'), new Error('busy'), 'other');
  const { others } = await run(model, 'a');
  assert.equal(others.length, 1);
  assert.equal(model.asked, 3);
});

test('an answer that is none fails the job, with the ticket in the error', async () => {
  await assert.rejects(run(new ScriptedModel('I cannot know that.'), 'a'), (error) => {
    assert.ok(isSageError(error));
    assert.equal(error.code, 'SAGE_USER_REJECTED');
    assert.match(error.message, /classify.*I cannot know that/s);
    assert.deepEqual(error.record, { id: 1, text: 'a' });
    return true;
  });
});
