import { describe, expect, it } from 'vitest';
import { countConnected, peersOf } from './connections.ts';

/** ss --tcp --numeric --processes --no-header state established (iproute2 6.1). */
const ANSWER = `0 0 10.91.1.1:49149 10.91.1.1:49152 users:(("ganesha.nfsd",pid=812,fd=24))
0 0 10.91.1.1:49148 10.91.1.2:49153 users:(("ganesha.nfsd",pid=812,fd=25))
0 0 10.91.1.1:49147 10.91.1.3:49153 users:(("ganesha.nfsd",pid=812,fd=26))
0 0 10.91.1.1:49146 10.91.1.3:49153 users:(("ganesha.nfsd",pid=812,fd=27))
0 0 10.91.1.1:49145 10.91.1.2:49153 users:(("glusterfs",pid=8120,fd=9))
0 0 [::ffff:10.91.1.1]:2049 [::ffff:10.91.1.4]:998 users:(("ganesha.nfsd",pid=812,fd=31))
`;
const brick = (ip: string, port?: number) => ({ addresses: [ip], port });

describe('peersOf', () => {
  it('is of that process alone', () => {
    expect(peersOf(ANSWER, 812)).toHaveLength(5);
    expect(peersOf(ANSWER, 8120)).toEqual(['10.91.1.2:49153']);
    expect(peersOf(ANSWER, 81)).toEqual([]);
    expect(peersOf(ANSWER, 812)).toContain('10.91.1.4:998');
  });
});

describe('countConnected', () => {
  it('counts a brick with one connection, and none with two: two views of the volume are in use then', () => {
    const peers = peersOf(ANSWER, 812);
    expect(countConnected([brick('10.91.1.1', 49152), brick('10.91.1.2', 49153)], peers)).toBe(2);
    expect(countConnected([brick('10.91.1.3', 49153)], peers)).toBe(0);
    expect(countConnected([brick('10.91.1.2', 49159), brick('10.91.1.2')], peers)).toBe(0);
  });
});
