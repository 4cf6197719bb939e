import { parseArgs } from 'node:util';
import { SetupProblem } from '../setup/setup-problem.mjs';

/**
 * @typedef {object} PackOptions
 * @property {boolean} help
 * @property {string[]} targets Rust triples to build and pack; none: what is in `from`, or this machine's own
 * @property {boolean} all every target of package.json
 * @property {string | undefined} from folder with binaries that are built already
 * @property {string} output folder of the tarballs
 * @property {string | undefined} repository address of the repository, which provenance is checked against
 */

export const packUsage = `npm run pack -- [options]

Without options it packs the core that npm run setup built for this machine.

  --target <triple>    build this target and pack it; may be given several times
  --all                every target of package.json (napi.targets)
  --from <folder>      take the binaries from this folder instead of building them
  --output <folder>    where the tarballs go (default: out/packages)
  --repository <url>   written into the manifests; npm checks provenance against it`;

/**
 * @param {readonly string[]} args
 * @returns {PackOptions}
 */
export function readPackOptions(args) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        target: { type: 'string', multiple: true, default: [] },
        all: { type: 'boolean', default: false },
        from: { type: 'string' },
        output: { type: 'string', default: 'out/packages' },
        repository: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const { target: targets, ...rest } = values;
    return { from: undefined, repository: undefined, ...rest, targets };
  } catch (error) {
    throw new SetupProblem(`${error.message}\n\n${packUsage}`);
  }
}
