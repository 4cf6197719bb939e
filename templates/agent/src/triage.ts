import type { DataStream } from 'sage-kernel';

import { Classify, type ClassifiedTicket, type Ticket } from './classify.ts';
import type { Model } from './model.ts';

/** Where the tickets go. */
export interface Desks {
  readonly urgent: (ticket: ClassifiedTicket) => void | Promise<void>;
  readonly others: (ticket: ClassifiedTicket) => void | Promise<void>;
}

/** Classifies tickets and hands each to its desk. */
export function triage(tickets: DataStream<Ticket>, model: Model, desks: Desks, firstWaitMs?: number): void {
  const classified = tickets.map(new Classify(model, firstWaitMs)).named('classify');
  classified.filter(({ topic }) => topic === 'urgent').sink(desks.urgent);
  classified.filter(({ topic }) => topic !== 'urgent').sink(desks.others);
}
