/** Sends tickets to a model and routes them by its answers: `npm start`. */
import { LocalEnvironment } from 'sage-kernel';

import { StandInModel } from './stand-in-model.ts';
import { triage } from './triage.ts';

const env = new LocalEnvironment('triage');

const tickets = env.fromCollection([
  { id: 1, text: 'Since this morning the shop is down.' },
  { id: 2, text: 'I wait for a refund of last month.' },
  { id: 3, text: 'Do you have this in green?' },
  { id: 4, text: 'All my drawings are lost!' },
]);

// Your model goes here.
triage(tickets, new StandInModel(), {
  urgent: ({ id, text }) => console.log(`call back at once: ticket ${id}, ${text}`),
  others: ({ id, topic }) => console.log(`ticket ${id} to the desk for ${topic}`),
  unclear: ({ record, error }) => console.log(`somebody should read ticket ${record.id}: ${error.message}`),
});

const result = await env.submit({ autostop: true });
console.log(`${result.recordsIn} tickets, ${result.status}`);
