/** From the program's process: it is about to read this file, or has looked for it in vain. */
export interface ImportedMessage {
  readonly type: 'imported';
  readonly file: string;
  /** As the file was just before; `null` when it was not there. */
  readonly signature: string | null;
}

/** To the program's process: stop your jobs and end. A second one cancels them. */
export interface StopMessage {
  readonly type: 'stop';
}
