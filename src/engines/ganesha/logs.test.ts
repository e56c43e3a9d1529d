import { describe, expect, it } from 'vitest';
import { complaintsOf } from './logs.ts';

const line = (level: string, words: string) =>
  `21/11/2026 12:23:05 : epoch 6b018d28 : kube1 : nfs-ganesha-1126[main] main :NFS STARTUP :${level} :${words}\n`;

describe('complaintsOf', () => {
  it('is what it says it cannot do, and not what it says at each start', () => {
    const text = [
      line('EVENT', 'NFS SERVER INITIALIZED'),
      line('CRIT', 'No export entries found in configuration file !!!'),
      line('CRIT', 'dbus bus is not there'),
      line('FATAL', 'Cannot bind tcp6 socket'),
      line('FATAL', 'Cannot bind tcp6 socket'),
    ].join('');
    expect(complaintsOf(text)).toBe('No export entries found in configuration file !!!; Cannot bind tcp6 socket');
    expect(complaintsOf(line('EVENT', 'words'))).toBeUndefined();
  });
});
