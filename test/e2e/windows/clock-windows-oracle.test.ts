import { describeClockWindows } from './describe-clock-windows.ts';

describeClockWindows('in generated code');
