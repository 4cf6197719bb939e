export { CollectSink, type Collected, type WaitForOptions } from './collect-sink.ts';
export { exploreSchedules } from './explore-schedules.ts';
export type { Fault } from './injected-faults.ts';
export { type HarnessOptions, operatorHarness } from './make-operator-harness.ts';
export { type HarnessPushOptions, type HarnessTimer, OperatorHarness, type OperatorKind } from './operator-harness.ts';
export { type SettleOptions, TestEnvironment, type TestEnvironmentOptions } from './test-environment.ts';
export { TestSource, type TestSourceOptions } from './test-source.ts';
export { VirtualClock } from './virtual-clock.ts';
