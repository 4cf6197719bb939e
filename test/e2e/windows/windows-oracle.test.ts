import { describeWindows } from './describe-windows.ts';

describeWindows('in generated code');
