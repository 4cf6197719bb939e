import { ALWAYS_ON_DISK } from '../state/state-environment.ts';
import { describeStatefulLoops } from './describe-stateful-loops.ts';

describeStatefulLoops('with state on disk', ALWAYS_ON_DISK);
