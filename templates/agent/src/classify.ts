import type { AsyncCall } from 'sage-kernel';

import type { Model } from './model.ts';

/** A message of a customer. */
export interface Ticket {
  readonly id: number;
  readonly text: string;
}

const TOPICS = ['urgent', 'billing', 'other'] as const;

/** A message with what the model made of it. */
export interface ClassifiedTicket extends Ticket {
  readonly topic: (typeof TOPICS)[number];
}

/** Asks the model for the topic of a ticket. */
export async function classify(model: Model, ticket: Ticket, { signal }: AsyncCall): Promise<ClassifiedTicket> {
  const answer = await model.complete(`Answer with one word, ${TOPICS.join(', ')}. What is this message about?\n\n${ticket.text}`, signal);
  // What a model says is input like any other: it may be anything.
  const topic = TOPICS.find((known) => answer.trim().toLowerCase() === known);
  if (topic === undefined) throw new RangeError(`the model answered '${answer}'`);
  return { ...ticket, topic };
}
