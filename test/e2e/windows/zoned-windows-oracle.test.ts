import { describeZonedWindows } from './describe-zoned-windows.ts';

describeZonedWindows('in generated code');
