import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  BTRFS_PROGRAMS,
  GLUSTER_PROGRAMS,
  LUKS_PROGRAMS,
  NFS_SERVER_PROGRAMS,
  NODE_PROGRAMS,
} from '../../src/domain/needed-programs.ts';
import { GLUSTERD_ARGV } from '../../src/engines/gluster/index.ts';
import { ServicesFile } from '../../src/schemas/supervisor.ts';
import { ROOT } from '../project.ts';
import { COMMAND, entrypointOf, IMAGE_PROGRAM, IMAGE_ROLES, packagesOf, SERVICES, SUITE, USERS } from './images.ts';

test('the image of a node has every program that a node needs', () => {
  const needed = [GLUSTER_PROGRAMS, NODE_PROGRAMS, BTRFS_PROGRAMS, NFS_SERVER_PROGRAMS, LUKS_PROGRAMS].flat();
  expect(packagesOf('node')).toEqual(expect.arrayContaining(needed.map(({ debianPackage }) => debianPackage)));
});

test('lists of packages are sorted, without doubles', () => {
  for (const role of IMAGE_ROLES) {
    expect(packagesOf(role)).toEqual([...new Set(packagesOf(role))].toSorted((a, b) => (a < b ? -1 : 1)));
  }
});

test('the Dockerfile makes what the script makes', () => {
  const [beginning = '', ...stages] = readFileSync(join(ROOT, 'deploy/images/Dockerfile'), 'utf8').split(/^FROM /m);
  expect(beginning).toContain(`ARG DEBIAN=debian:${SUITE}-slim\n`);
  for (const role of IMAGE_ROLES) {
    const stage = stages.find((text) => text.startsWith(`\${DEBIAN} AS ${role}\n`)) ?? '';
    expect(stage).toContain(`COPY deploy/images/${role}.packages /tmp/packages\n`);
    expect(stage).toContain('xargs apt-get install --yes --no-install-recommends < /tmp/packages');
    expect(stage).toContain(`COPY deploy/images/holdfast ${COMMAND.target}\n`);
    expect(stage).toContain(`COPY --from=build /out ${IMAGE_PROGRAM}\n`);
    expect(stage).toContain(`USER ${USERS[role]}\n`);
    expect(stage).toContain(`ENTRYPOINT ${JSON.stringify(entrypointOf(role)).replaceAll(',', ', ')}\n`);
    expect(stage.includes(`COPY deploy/images/services.json ${SERVICES.target}\n`)).toBe(role === 'node');
  }
});

test('the engine is started as on an installed machine', () => {
  const { services } = ServicesFile.parse(JSON.parse(readFileSync(SERVICES.source, 'utf8')));
  expect(services.map(({ argv }) => argv)).toEqual([[...GLUSTERD_ARGV, '--no-daemon']]);
});
