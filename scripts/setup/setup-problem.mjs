/** Something is missing on this machine, and the message is one sentence that says what and how to get it. */
export class SetupProblem extends Error {
  /** @param {string} message one sentence with the fix */
  constructor(message) {
    super(message);
    this.name = 'SetupProblem';
  }
}
