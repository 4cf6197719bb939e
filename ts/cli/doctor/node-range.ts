/** Whether a version of Node is in a range such as `^22.12.0 || >=26.0.0`. @throws TypeError for other kinds of range. */
export function isInRange(version: string, range: string): boolean {
  const actual = numbers(version);
  return range.split('||').some((alternative) => {
    const [, sign, least] = /^(\^|>=)(\d+(?:\.\d+){0,2})$/.exec(alternative.trim()) ?? [];
    if (least === undefined) throw new TypeError(`cannot read the range '${alternative.trim()}'`);
    const wanted = numbers(least);
    return compare(actual, wanted) >= 0 && (sign === '>=' || actual[0] === wanted[0]);
  });
}

function numbers(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let n = 0; n < 3; n++) {
    const difference = (a[n] ?? 0) - (b[n] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
