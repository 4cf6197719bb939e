import { describeKeyedProcess } from './describe-keyed-process.ts';
import { ALWAYS_ON_DISK } from './state-environment.ts';

describeKeyedProcess('on disk, with memory for no key', ALWAYS_ON_DISK);
