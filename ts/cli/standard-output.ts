/** From now on what anybody prints goes to standard error; only the function that this gives writes a line to standard output. */
export function takeStandardOutput(): (line: string) => Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  // Looked up at each call: the live progress puts itself before it.
  process.stdout.write = ((...args: Parameters<typeof process.stderr.write>) => process.stderr.write(...args)) as typeof process.stdout.write;
  return (line) =>
    new Promise((resolve) => {
      write(`${line}\n`, () => resolve());
    });
}
