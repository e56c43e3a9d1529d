/** The files of deploy/ that are written by the program itself. */
import { admissionObjects } from './admission.ts';
import { alertGroups } from './alerts.ts';
import { chartFiles } from './chart.ts';
import { customResourceDefinitions } from './crds.ts';
import { documents } from './documents.ts';
import { driverObjects, snapshotClass } from './driver.ts';
import { guardObjects } from './guard.ts';
import { accessObjects } from './rbac.ts';
import { manifestValues } from './values.ts';
import { workloads } from './workloads.ts';

export interface GeneratedFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** Makes all of them; nothing is written. */
export function generateDeploy(): readonly GeneratedFile[] {
  const kinds = customResourceDefinitions();
  const driver = [...driverObjects(), ...accessObjects()];
  const installed = [...kinds, ...driver, ...admissionObjects(), ...guardObjects(), ...workloads(manifestValues())];
  return [
    { path: 'deploy/crds.yaml', text: documents(kinds) },
    { path: 'deploy/driver.yaml', text: documents(driver) },
    { path: 'deploy/snapshot-class.yaml', text: documents([snapshotClass()]) },
    // For a Prometheus without the operator.
    { path: 'deploy/alerts.yaml', text: documents([{ groups: alertGroups() }]) },
    { path: 'deploy/holdfast.yaml', text: documents(installed) },
    ...chartFiles().map(({ path, text }) => ({ path: `deploy/chart/holdfast/${path}`, text })),
  ];
}
