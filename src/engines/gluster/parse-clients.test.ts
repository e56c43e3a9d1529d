import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCalls, parseClients } from './parse-clients.ts';
import { parseReply } from './reply.ts';

const CLIENTS = join(import.meta.dirname, 'fixtures/volume-status-clients.xml');
/** Of GlusterFS 10.3, asked while the disk below the first brick was frozen. */
const CALLS = `Pending calls for volume gv0
----------------------------------------------
Brick : kube1:/mnt/pool/.holdfast/copies/ab6c6226/mnt/data/brick
Pending calls: 3
Call Stack1
 UID    : 0
 GID    : 0
 PID    : 0
 Unique : 6166
 Frames : 1
 Frame 1
 
Call Stack2
 UID    : 0
 GID    : 0
 PID    : 690
 Unique : 6162
 Frames : 9
 Frame 1
 
----------------------------------------------
Brick : kube2:/mnt/pool/.holdfast/copies/5acbb83d/mnt/data/brick
Pending calls: 0
----------------------------------------------
Brick : kube3:/mnt/pool/.holdfast/copies/b0353fa7/mnt/data/brick
Brick process is not running
----------------------------------------------
`;

it('reads who is connected to each brick', () => {
  const stdout = readFileSync(CLIENTS, 'utf8');
  const reply = parseReply({ stdout, stderr: '', code: 0 }, 'gluster volume status vrep3 clients');
  const bricks = parseClients(reply, 'vrep3');
  expect(bricks.map(({ host }) => host)).toEqual(['kube1', 'kube2', 'kube3']);
  for (const { clients } of bricks) {
    expect(clients?.length).toBeGreaterThan(0);
    for (const client of clients ?? []) expect(client).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  }
  expect(parseClients(reply, 'another')).toEqual([]);
});

it('reads what each brick works on, of those that answered', () => {
  expect(parseCalls(CALLS)).toEqual([
    { host: 'kube1', path: '/mnt/pool/.holdfast/copies/ab6c6226/mnt/data/brick', calls: ['6166', '6162'] },
    { host: 'kube2', path: '/mnt/pool/.holdfast/copies/5acbb83d/mnt/data/brick', calls: [] },
  ]);
  expect(parseCalls('Volume gv0 is not started')).toEqual([]);
});
