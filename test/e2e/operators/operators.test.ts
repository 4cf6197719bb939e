import { describeBatch } from './batch.cases.ts';
import { describeGates } from './gates.cases.ts';
import { describeLeaving } from './leaving.cases.ts';
import { describeMapAsync } from './map-async.cases.ts';
import { describePolicies } from './policies.cases.ts';
import { describeProcess } from './process.cases.ts';
import { describeRoute } from './route.cases.ts';
import { describeTold } from './told.cases.ts';

for (const describeCases of [describeBatch, describeGates, describeLeaving, describeMapAsync, describePolicies, describeProcess, describeRoute, describeTold]) describeCases('generated code');
