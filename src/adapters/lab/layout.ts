/** Where everything of a lab lies below the folder of labs. */
import { join } from 'node:path';

/** The folder of all labs; readable by root only. */
export const LABS_FOLDER = '/var/lib/holdfast/labs';

export interface HostLayout {
  readonly folder: string;
  /** XFS image with the host's own changes to the root file system. */
  readonly systemImage: string;
  /** Image of the data disk, handed to the host as it is. */
  readonly dataImage: string;
  /** Mount points, used only inside the host's mount namespace until its root is changed. */
  readonly systemMount: string;
  readonly rootMount: string;
  readonly bootIdFile: string;
  readonly console: string;
  readonly logs: string;
}

/** The folder of a lab: its record, and what its hosts are made of. */
export function labFolder(labsFolder: string, lab: string): string {
  return join(labsFolder, lab);
}

/** Where everything of one host lies. */
export function hostLayout(labsFolder: string, lab: string, host: string): HostLayout {
  const folder = join(labFolder(labsFolder, lab), 'hosts', host);
  return {
    folder,
    systemImage: join(folder, 'system.img'),
    dataImage: join(folder, 'data.img'),
    systemMount: join(folder, 'system'),
    rootMount: join(folder, 'root'),
    bootIdFile: join(folder, 'boot-id'),
    console: join(folder, 'console.log'),
    logs: join(folder, 'log'),
  };
}
