import { describeKeyedProcess } from './describe-keyed-process.ts';

describeKeyedProcess('with generated code');
