import type { Command } from '../command.ts';
import type { DoctorOptions } from '../doctor/run-doctor.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import { jsonFlag } from '../program-options.ts';

/** `sage-kernel doctor` */
export const doctor: Command<DoctorOptions> = {
  name: 'doctor',
  summary: 'looks whether this machine can run pipelines, with one fix for each finding',
  description: [
    'Looks at what pipelines need: the version of Node, the native core and its version, worker threads, generated code, memory, processors, open files, a place for temporary files. Each finding is ok, warn or fail; what is not ok comes with one fix.',
  ],
  operands: [],
  takesProgramArgs: false,
  options: { json: jsonFlag('prints { version, status, findings } as one line of JSON') },
  exitCodes: [
    [EXIT_OK, 'nothing failed; there may be warnings'],
    [EXIT_FAILED, 'something failed'],
    [EXIT_USAGE, 'the command line is wrong'],
  ],
  examples: ['sage-kernel doctor', 'sage-kernel doctor --json'],
  async run({ values }) {
    const { runDoctor } = await import('../doctor/run-doctor.ts');
    await runDoctor(values);
  },
};
