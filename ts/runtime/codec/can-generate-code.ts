let answer: boolean | undefined;

/**
 * Whether `new Function` is allowed here. It is not under `--disallow-code-generation-from-strings`, or when
 * `SAGE_CODEGEN=0` asks for the linked form; results are the same, only slower.
 */
export function canGenerateCode(): boolean {
  if (answer === undefined) {
    if (process.env['SAGE_CODEGEN'] === '0') return (answer = false);
    try {
      answer = (new Function('return true') as () => boolean)();
    } catch {
      answer = false;
    }
  }
  return answer;
}
