import type { Model } from './model.ts';

/** No model: answers by looking for words, so that the project runs before you have plugged in yours. */
export class StandInModel implements Model {
  async complete(prompt: string): Promise<string> {
    const text = prompt.toLowerCase();
    if (/\b(down|outage|lost|broken)\b/.test(text)) return 'urgent';
    return /\b(invoice|refund|price)\b/.test(text) ? 'billing' : 'other';
  }
}
