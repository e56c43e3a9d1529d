/** The files of deploy/ that are written by the program itself. */
import { stringify } from 'yaml';
import type { Json } from './crd-schema.ts';
import { customResourceDefinitions } from './crds.ts';
import { driverObjects, snapshotClass } from './driver.ts';
import { accessObjects } from './rbac.ts';

const NOTE = '# This file is made by `node tools/deploy/index.ts`, from the program itself.';

export interface GeneratedFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** Makes all of them; nothing is written. */
export function generateDeploy(): readonly GeneratedFile[] {
  return [
    { path: 'deploy/crds.yaml', text: documents(customResourceDefinitions()) },
    { path: 'deploy/driver.yaml', text: documents([...driverObjects(), ...accessObjects()]) },
    { path: 'deploy/snapshot-class.yaml', text: documents([snapshotClass()]) },
  ];
}

function documents(objects: readonly Json[]): string {
  const texts = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `${NOTE}\n${texts.map((text) => `---\n${text}`).join('')}`;
}
