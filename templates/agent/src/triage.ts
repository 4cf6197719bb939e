import type { DataStream, DeadLetter } from 'sage-kernel';

import { classify, type ClassifiedTicket, type Ticket } from './classify.ts';
import type { Model } from './model.ts';

/** Where the tickets go. */
export interface Desks {
  readonly urgent: (ticket: ClassifiedTicket) => void | Promise<void>;
  readonly others: (ticket: ClassifiedTicket) => void | Promise<void>;
  /** Tickets that the model could not classify, with its last error. */
  readonly unclear: (letter: DeadLetter<Ticket>) => void | Promise<void>;
}

/** Classifies tickets, eight at a time, and hands each to its desk. */
export function triage(tickets: DataStream<Ticket>, model: Model, desks: Desks, backoffMs = 500): void {
  const classified = tickets
    .mapAsync((ticket, call) => classify(model, ticket, call), { concurrency: 8, timeoutMs: 30_000, retry: { retry: 2, backoffMs } })
    .named('classify')
    .onError('deadLetter');
  const { urgent, others } = classified.split(({ topic }) => (topic === 'urgent' ? 'urgent' : 'others'), ['urgent', 'others']);
  urgent.sink(desks.urgent);
  others.sink(desks.others);
  classified.deadLetters<Ticket>().sink(desks.unclear);
}
