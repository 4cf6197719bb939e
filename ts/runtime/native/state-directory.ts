/**
 * The directory in which jobs with state on disk make theirs: what `SAGE_STATE_DIR` names, or nothing where it is unset or
 * empty: the core then takes a folder of this user in the place of temporary files.
 */
export function stateDirectory(): string | undefined {
  const named = process.env['SAGE_STATE_DIR'];
  return named === undefined || named === '' ? undefined : named;
}
