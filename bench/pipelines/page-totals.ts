import type { PageTotal, PageView } from './page-views.ts';

const isSlow = (view: PageView): boolean => view.ok && view.ms > 1000;

/** Views and time of each page, by hand. */
export class PageTotals {
  readonly #byPage = new Map<string, { key: string; views: number; ms: number }>();

  add(view: PageView): void {
    if (!isSlow(view)) return;
    const found = this.#byPage.get(view.page);
    if (found === undefined) this.#byPage.set(view.page, { key: view.page, views: 1, ms: view.ms });
    else {
      found.views++;
      found.ms += view.ms;
    }
  }

  values(): Iterable<PageTotal> {
    return this.#byPage.values();
  }
}
