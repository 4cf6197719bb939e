import { describeCustomTriggers } from './describe-custom-triggers.ts';

describeCustomTriggers('in generated code');
