import { Writable } from 'node:stream';

/** A terminal that does what its bytes say: wraps lines, moves its cursor, clears. What it shows is the oracle of the tests. */
export class Screen extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  colours = false;
  writes = 0;
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows = 24) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** As `tty.WriteStream` has it. */
  hasColors(): boolean {
    return this.colours;
  }

  /** What is to be seen, without blank lines at the end; all that has scrolled away is still there. */
  get text(): string {
    return this.#lines.map((line) => line.trimEnd()).join('\n').trimEnd();
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#row, column: this.#column };
  }

  /** Another width: as most terminals do, lines that no longer fit are wrapped, and the cursor stays behind the same text. */
  resize(columns: number): void {
    const before = this.#lines.slice(0, this.#row);
    const wrap = (line: string): string[] => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [''];
    this.#lines = [...before.flatMap(wrap), ...this.#lines.slice(this.#row).flatMap(wrap)];
    this.#row = before.flatMap(wrap).length;
    this.columns = columns;
    this.emit('resize');
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes++;
    // eslint-disable-next-line no-control-regex
    for (const [token] of String(chunk).matchAll(/\u001B\[(\d*)([A-Za-z])|[^]/gu)) this.#obey(token);
    done();
  }

  #obey(token: string): void {
    // eslint-disable-next-line no-control-regex
    const [, count = '', command] = /^\u001B\[(\d*)([A-Za-z])$/.exec(token) ?? [];
    if (command === 'A') this.#row = Math.max(0, this.#row - Number(count || 1));
    else if (command === 'J') {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row] = this.#lines[this.#row]!.slice(0, this.#column);
    } else if (command === 'm') return;
    else if (command !== undefined) throw new TypeError(`this terminal does not know ${JSON.stringify(token)}`);
    else if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#newLine();
    else this.#put(token);
  }

  #put(character: string): void {
    if (this.#column >= this.columns) this.#newLine();
    const line = this.#lines[this.#row]!.padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column++;
  }

  #newLine(): void {
    this.#row++;
    this.#column = 0;
    this.#lines[this.#row] ??= '';
  }
}
