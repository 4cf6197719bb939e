import { describeWindows } from './describe-operators.ts';

describeWindows('generated');
