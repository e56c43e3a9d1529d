/** The pages of the reference that are written by the program itself. */
import { classParametersPage } from './class-parameters-page.ts';
import { cliPage } from './cli-page.ts';
import { metricsPage } from './metrics-page.ts';
import { resourcesPage } from './resources-page.ts';
import { buildWholeProgram } from './whole-program.ts';

/** In the pages themselves: they are no place for corrections. */
const NOTE = 'This page is made by `node tools/docs/index.ts`, from the program itself.';

export interface GeneratedPage {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** Makes all of them; nothing is written. */
export async function generatePages(): Promise<readonly GeneratedPage[]> {
  return [
    { path: 'docs/reference/cli.md', text: cliPage(await buildWholeProgram(), NOTE) },
    { path: 'docs/reference/resources.md', text: resourcesPage(NOTE) },
    { path: 'docs/reference/class-parameters.md', text: classParametersPage(NOTE) },
    { path: 'docs/reference/metrics.md', text: metricsPage(NOTE) },
  ];
}
