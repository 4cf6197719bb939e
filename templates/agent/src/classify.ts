import { MapFunction } from 'sage-kernel';

import type { Model } from './model.ts';
import { withRetry } from './with-retry.ts';

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

/** Asks the model for the topic of each ticket. */
export class Classify extends MapFunction<Ticket, ClassifiedTicket> {
  readonly #model: Model;
  readonly #firstWaitMs: number;

  /** @param firstWaitMs before the model is asked again when it has failed. */
  constructor(model: Model, firstWaitMs = 500) {
    super();
    this.#model = model;
    this.#firstWaitMs = firstWaitMs;
  }

  async execute(ticket: Ticket): Promise<ClassifiedTicket> {
    const { signal } = this.ctx;
    const prompt = `Answer with one word, ${TOPICS.join(', ')}. What is this message about?\n\n${ticket.text}`;
    const answer = await withRetry(() => this.#model.complete(prompt, signal), { attempts: 3, firstWaitMs: this.#firstWaitMs, signal });
    // What a model says is input like any other: it may be anything.
    const topic = TOPICS.find((known) => answer.trim().toLowerCase() === known);
    if (topic === undefined) throw new RangeError(`the model answered '${answer}'`);
    return { ...ticket, topic };
  }
}
