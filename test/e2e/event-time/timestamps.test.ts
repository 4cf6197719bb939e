import { describeTimestamps } from './describe-timestamps.ts';

describeTimestamps('in generated code');
