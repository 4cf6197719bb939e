import { describeStatefulLoops } from './describe-stateful-loops.ts';

describeStatefulLoops('generated, with state in memory', 'memory');
