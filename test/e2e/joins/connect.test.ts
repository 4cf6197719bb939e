import { describeConnect } from './describe-connect.ts';

describeConnect('in generated code');
