import { describeBatch } from './batch.cases.ts';
import { describeMapAsync } from './map-async.cases.ts';

describeBatch('generated code');
describeMapAsync('generated code');
