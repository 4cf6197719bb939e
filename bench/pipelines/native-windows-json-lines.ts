import type { BenchCase } from '../harness/bench-case.ts';
import { nativeWindowsCase } from './native-windows-case.ts';
import { readingsPath, writeReadings } from './readings-file.ts';

export const benchCase: BenchCase = nativeWindowsCase({
  row: 'native-windows-json-lines',
  title: 'JSON lines',
  format: 'jsonLines',
  loops: [{ name: 'loop in Rust', reader: 'json-lines' }],
  maps: true,
  path: readingsPath,
  write: writeReadings,
  goals: [
    { ours: 'sage', peers: ['Maps'], atLeast: 2 },
    { ours: 'sage', peers: ['loop in Rust'], atMost: 2.5 },
  ],
});
