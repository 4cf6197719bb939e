/** All that the pipeline wants of a language model. Implement it with the client of your provider. */
export interface Model {
  /** Answers a prompt. @param signal aborted when the call takes too long, or the job is cancelled or fails: hand it to the request. */
  complete(prompt: string, signal: AbortSignal): Promise<string>;
}
