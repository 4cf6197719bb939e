/**
 * Whether a version is one of a range such as `^22.12.0 || ^24.0.0 || >=26.0.0` (the form of `engines.node`).
 * A small reader of its own, because set-up runs before any package is installed.
 *
 * @param {string} version `24.21.0` or `v24.21.0`
 * @param {string} range alternatives of `^a.b.c` and `>=a.b.c`
 */
export function nodeVersionMatches(version, range) {
  const actual = parse(version);
  return range.split('||').some((alternative) => {
    const match = /^(\^|>=)(.+)$/.exec(alternative.trim());
    if (match === null) throw new TypeError(`cannot read the Node version range '${alternative.trim()}'`);
    const wanted = parse(match[2]);
    return isAtLeast(actual, wanted) && (match[1] === '>=' || actual[0] === wanted[0]);
  });
}

/** Whether `version` is `minimum` or newer; both as `1.88` or `1.88.0`. */
export function versionAtLeast(version, minimum) {
  return isAtLeast(parse(version), parse(minimum));
}

function parse(version) {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version.trim());
  if (match === null) throw new TypeError(`'${version}' is not a version`);
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

function isAtLeast(actual, wanted) {
  for (let i = 0; i < 3; i++) {
    if (actual[i] !== wanted[i]) return actual[i] > wanted[i];
  }
  return true;
}
