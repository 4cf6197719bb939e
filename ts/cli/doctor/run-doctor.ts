import { styleText } from 'node:util';

import { EXIT_FAILED } from '../exit-code.ts';
import { packageVersion } from '../package-version.ts';
import { diagnose } from './diagnose.ts';
import type { Finding } from './finding.ts';
import { inspectMachine } from './inspect-machine.ts';

/** Options of `sage-kernel doctor`. */
export interface DoctorOptions {
  readonly json: boolean;
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** `sage-kernel doctor`: prints the findings; the exit code is 1 when something failed. */
export async function runDoctor({ json }: DoctorOptions): Promise<void> {
  const findings = diagnose(await inspectMachine());
  const status = worst(findings);
  if (json) console.log(JSON.stringify({ version: 1, status, findings }));
  else for (const line of doctorText(findings, process.stdout.isTTY && process.stdout.hasColors())) console.log(line);
  if (status === 'fail') process.exitCode = EXIT_FAILED;
}

/** The findings as lines for people. */
export function doctorText(findings: readonly Finding[], hasColours: boolean): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
  return [
    `sage-kernel ${packageVersion()}`,
    ...findings.flatMap(({ check, status, detail, fix }) => {
      const mark = hasColours ? styleText(COLOURS[status], status.padEnd(4), { validateStream: false }) : status.padEnd(4);
      const line = `  ${mark}  ${check.padEnd(width)}  ${detail}`;
      return fix === undefined ? [line] : [line, `        ${' '.repeat(width)}  fix: ${fix}`];
    }),
    `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed`,
  ];
}

function worst(findings: readonly Finding[]): Finding['status'] {
  if (findings.some(({ status }) => status === 'fail')) return 'fail';
  return findings.some(({ status }) => status === 'warn') ? 'warn' : 'ok';
}
