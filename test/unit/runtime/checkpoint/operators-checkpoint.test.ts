import { describeOperators } from './describe-operators.ts';

describeOperators('generated');
