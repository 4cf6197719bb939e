/** All that the agent wants of a language model. Implement it with the client of your provider. */
export interface Model {
  complete(prompt: string, signal: AbortSignal): Promise<string>;
}

/** No model: looks for words, so that the example runs without a key. Its first answer to every fourth prompt is nonsense, as answers may be. */
export class StandInModel implements Model {
  readonly #asked = new Map<string, number>();

  async complete(prompt: string): Promise<string> {
    const times = (this.#asked.get(prompt) ?? 0) + 1;
    this.#asked.set(prompt, times);
    if (times === 1 && this.#asked.size % 4 === 0) return 'As a model, I would rather not say.';
    const text = prompt.slice(prompt.lastIndexOf('\n')).toLowerCase();
    if (text.includes('poetry')) return 'nobody knows';
    return /\b(down|lost|broken)\b/.test(text) ? 'urgent' : /\b(invoice|refund)\b/.test(text) ? 'billing' : 'other';
  }
}
