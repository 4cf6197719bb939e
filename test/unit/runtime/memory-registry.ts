import type { LayoutRegistry } from '../../../ts/runtime/codec/batch-reader.ts';

/** The job's registry without the core: ids are indices into lists. */
export function memoryRegistry(): LayoutRegistry & { readonly layouts: string[] } {
  const layouts: string[] = [];
  const shapes: string[] = [];
  const intern = (list: string[], text: string): number => {
    const at = list.indexOf(text);
    return at >= 0 ? at : list.push(text) - 1;
  };
  return {
    layouts,
    internLayout: (text) => intern(layouts, text),
    layoutText: (id) => layouts[id]!,
    internShape: (text) => intern(shapes, text),
    shapeText: (id) => shapes[id]!,
  };
}
