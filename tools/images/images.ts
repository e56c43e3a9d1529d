/** What the two images of Holdfast are made of; deploy/images/Dockerfile says the same, and a test compares them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_FLAGS, CONTROLLER_FLAGS } from '../../src/domain/install/node-flags.ts';
import { VERSION } from '../../src/main/version.ts';
import { ROOT } from '../project.ts';

export type ImageRole = 'controller' | 'node';
export const IMAGE_ROLES: readonly ImageRole[] = ['controller', 'node'];

/** Release of Debian that both are made of. */
export const SUITE = 'bookworm';
/** Folder of Node, the bundle and its chunks in an image. */
export const IMAGE_PROGRAM = '/opt/holdfast';
const FLAGS: Readonly<Record<ImageRole, readonly string[]>> = { controller: CONTROLLER_FLAGS, node: AGENT_FLAGS };

/** What runs in the image of a role; the words of a command line follow. */
export function entrypointOf(role: ImageRole): readonly string[] {
  return [`${IMAGE_PROGRAM}/node`, ...FLAGS[role], `${IMAGE_PROGRAM}/main.mjs`];
}
/** Nobody's number: a controller needs nothing of its machine. */
export const USERS: Readonly<Record<ImageRole, string>> = { controller: '65532:65532', node: '0:0' };

const FOLDER = join(ROOT, 'deploy/images');
/** What the supervisor in the node's image keeps running, and where it looks for it. */
export const SERVICES = { source: join(FOLDER, 'services.json'), target: '/etc/holdfast/services.json' };

/** What people call the program by in a pod. */
export const COMMAND = { source: join(FOLDER, 'holdfast'), target: '/usr/local/bin/holdfast' };

/** Debian's packages of an image, beyond those that every system has. */
export function packagesOf(role: ImageRole): readonly string[] {
  const text = readFileSync(join(FOLDER, `${role}.packages`), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** The name that manifests ask for by default. */
export function imageName(role: ImageRole, tag: string = VERSION): string {
  return `holdfast.dev/${role}:${tag}`;
}
