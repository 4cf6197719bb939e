import { relative } from 'node:path';

import { UsageError } from '../usage-error.ts';
import { askTemplate } from './ask.ts';
import { checkFolder, type CreatedProject, createProject } from './create-project.ts';
import { type TemplateName, TEMPLATES } from './templates.ts';

/** Options of `sage-kernel init`. */
export interface InitOptions {
  readonly template: TemplateName | undefined;
  readonly force: boolean;
  readonly json: boolean;
}

/** `sage-kernel init` @throws UsageError */
export async function runInit({ folder, template, force, json }: InitOptions & { readonly folder: string }): Promise<void> {
  checkFolder(folder, force);
  const project = createProject(folder, template ?? (await ask(json)));
  console.log(json ? JSON.stringify(project) : createdText(project));
}

async function ask(json: boolean): Promise<NonNullable<InitOptions['template']>> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UsageError(`Which template? Write --template ${Object.keys(TEMPLATES).join(', or --template ')}.`);
  }
  try {
    return await askTemplate(process.stdin, process.stdout);
  } catch (error) {
    throw new UsageError('No template was chosen, and nothing was written.', { cause: error });
  }
}

function createdText({ template, folder, files }: CreatedProject): string {
  const path = relative(process.cwd(), folder);
  const steps = [...(path === '' ? [] : [`cd ${path}`]), 'npm install', 'npm start'];
  return [`Made ${folder} of the template ${template}:`, ...files.map((file) => `  ${file}`), 'Next:', ...steps.map((step) => `  ${step}`)].join('\n');
}
