import { functionName } from '../../functions/user-function.ts';
import type { WindowTransformation } from '../../transformations/window-transformation.ts';

/** Which windows there are, what they go by, and what becomes of them, in words. */
export function describeWindows({ settings, result, keyed }: WindowTransformation, isEventTime: boolean): string {
  const { trigger, accumulation, allowedLatenessMs, lateTag } = settings;
  const counts = settings.assigner.kind === 'count' || settings.assigner.kind === 'global';
  return [
    describeAssigner(settings.assigner),
    ...(counts ? [] : [isEventTime ? 'by event time' : 'by the clock']),
    keyed ? 'for each key' : 'over all records',
    ...(trigger.kind === 'time' ? [] : [`results ${describeTrigger(trigger)}`]),
    ...(accumulation === 'discarding' ? ['each of what is new'] : []),
    ...(allowedLatenessMs > 0 ? [`${allowedLatenessMs} ms of lateness`] : []),
    ...(lateTag === undefined ? [] : [`late records to ${lateTag}`]),
    result.kind === 'aggregate' ? `{ ${Object.keys(result.spec).join(', ')} }` : result.kind === 'reduce' ? 'reduced' : 'with all records',
  ].join(', ');
}

function describeAssigner(assigner: WindowTransformation['settings']['assigner']): string {
  switch (assigner.kind) {
    case 'tumbling':
      return `windows of ${assigner.sizeMs} ms${describeZone(assigner)}`;
    case 'sliding':
      return `windows of ${assigner.sizeMs} ms every ${assigner.slideMs} ms${describeZone(assigner)}`;
    case 'session':
      return `sessions with gaps below ${assigner.gapMs} ms`;
    case 'global':
      return 'one window';
    case 'count':
      return `windows of ${assigner.size} records${assigner.slide === assigner.size ? '' : ` every ${assigner.slide}`}`;
  }
}

function describeZone({ offsetMs, timeZone }: { readonly offsetMs: number; readonly timeZone: string | undefined }): string {
  return `${offsetMs === 0 ? '' : ` from ${offsetMs} ms`}${timeZone === undefined ? '' : ` in ${timeZone}`}`;
}

function describeTrigger(trigger: WindowTransformation['settings']['trigger']): string {
  switch (trigger.kind) {
    case 'time':
      return 'at the end';
    case 'count':
      return `every ${trigger.every} records`;
    case 'processingTime':
      return `every ${trigger.everyMs} ms`;
    case 'early':
      return `${describeTrigger(trigger.early)} and at the end`;
    case 'custom':
      return trigger.fn.form === 'instance' && functionName(trigger.fn) === 'Object' ? 'when a trigger says so' : `when ${functionName(trigger.fn)} says so`;
  }
}
