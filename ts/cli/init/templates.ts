/** The templates, each a folder in `templates/`. */
const NAMES = ['script', 'files', 'agent', 'library'] as const;

/** The name of a template. */
export type TemplateName = (typeof NAMES)[number];

/** What each template is, in the order in which they are offered. */
export const TEMPLATES: Readonly<Record<TemplateName, { readonly summary: string }>> = {
  script: { summary: 'one file with one pipeline' },
  files: { summary: 'reads JSON lines, writes totals, on worker threads' },
  agent: { summary: 'sends records to a model and routes the answers; a stand-in until you plug in yours' },
  library: { summary: 'operators of your own as a package, with tests' },
};
