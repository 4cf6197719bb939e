/** Whether the long runs are wanted: `SAGE_HEAVY=1`. */
export const heavy: boolean = process.env['SAGE_HEAVY'] === '1';
