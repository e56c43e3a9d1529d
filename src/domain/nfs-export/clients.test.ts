import { describe, expect, it } from 'vitest';
import { clientFault, clientsBeyond, readClient } from './clients.ts';

describe('clientFault', () => {
  it.each(['10.10.1.2', '0.0.0.0/0', '10.10.0.0/16', '255.255.255.255/32'])('takes %s', (text) => {
    expect(clientFault(text)).toBeUndefined();
  });

  it.each([
    ...['', '*', '10.10.*.*', 'host.example', '@group', '10.10.1', '10.10.1.256', '010.1.1.1', '10.10.0.0/33'],
    ...['fe80::1', '10.1.1.1, *', '10.1.1.1;', '10.1.1.1\n', ' 10.1.1.1', '10.0.0.0/8/8', '10.0.0.0/'],
  ])('refuses %j', (text) => {
    expect(clientFault(text)).toContain('IPv4 address or network');
  });

  it('names the network that an address inside of one may have meant', () => {
    expect(clientFault('10.10.1.2/16')).toBe('is no network: the first address of it is 10.10.0.0');
  });
});

describe('readClient', () => {
  it.each([
    ['10.10.*.*', '10.10.0.0/16'],
    ['10.*.*.*', '10.0.0.0/8'],
    ['*.*.*.*', '0.0.0.0/0'],
    ['10.10.1.2', '10.10.1.2'],
  ])('reads %s as %s', (text, stored) => expect(readClient(text)).toBe(stored));

  it.each(['*', '10.*', '10.*.1.*', '10.10.1?', 'kube*'])('cannot read %s', (text) =>
    expect(readClient(text)).toBeUndefined(),
  );
});

describe('clientsBeyond', () => {
  it('joins allowed ranges that touch', () => {
    expect(clientsBeyond(['10.0.0.0/23'], ['10.0.0.*', '10.0.1.0/24'])).toEqual([]);
    expect(clientsBeyond(['10.0.0.0/23'], ['10.0.0.0/24', '10.0.1.0/25'])).toEqual(['10.0.0.0/23']);
  });

  it('lets what cannot be read allow nobody', () => {
    expect(clientsBeyond(['10.0.0.1'], ['*', 'fe80::/10', '10.*.0.1', ''])).toEqual(['10.0.0.1']);
  });
});
