/** What `doctor` looks at, as facts: judging them needs no machine that is broken in the same way. */
export interface Machine {
  readonly node: {
    /** As in `process.versions.node`. */
    readonly version: string;
    /** `engines.node` of this package. */
    readonly wanted: string;
    /** How this Node runs TypeScript; `false` when it does not. */
    readonly typescript: 'strip' | 'transform' | false;
  };
  readonly platform: {
    /** `linux-x64-gnu` and so on: what the native core is built for. */
    readonly name: string;
    /** Version of glibc, where the platform has it. */
    readonly glibc: string | undefined;
  };
  readonly core: {
    /** Version of this package. */
    readonly wanted: string;
    /** That of the native core, or why it does not load. */
    readonly loaded: { readonly version: string } | { readonly problem: string; readonly help: string };
  };
  /** The package that programs in the working directory import; `undefined` when they find none. */
  readonly project: { readonly version: string } | undefined;
  /** Why a worker thread does not start; `undefined` when it does. */
  readonly workerProblem: string | undefined;
  readonly code: { readonly canGenerate: boolean; readonly isSwitchedOff: boolean };
  readonly cores: {
    /** That this process may use. */
    readonly available: number;
    /** That the machine has. */
    readonly present: number;
  };
  readonly memory: {
    readonly availableBytes: number;
    /** What the system, or the control group that this process is in, allows. */
    readonly limitBytes: number;
    /** Most that the JavaScript heap of one isolate grows to. */
    readonly heapLimitBytes: number;
  };
  /** Most open files; `undefined` where the system has no such limit. */
  readonly openFiles: number | undefined;
  readonly temporary: {
    readonly folder: string;
    /** Why nothing can be written there. */
    readonly problem: string | undefined;
    readonly freeBytes: number | undefined;
  };
}
