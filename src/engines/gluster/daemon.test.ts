import { expect, test } from 'vitest';
import { configureGlusterd } from './daemon.ts';

/** As Debian's glusterfs-server 10.3 ships it. */
const SHIPPED = `volume management
    type mgmt/glusterd
    option working-directory /var/lib/glusterd
    option transport-type socket
    option ping-timeout 0
    option event-threads 1
end-volume
`;

test('the timeout is set where it is 0 or missing, and left alone where somebody chose one', () => {
  const set = configureGlusterd(SHIPPED);
  expect(set).toBe(SHIPPED.replace('ping-timeout 0', 'ping-timeout 10'));
  expect(configureGlusterd(set)).toBe(set);
  const missing = configureGlusterd(SHIPPED.replace('    option ping-timeout 0\n', ''));
  expect(missing).toContain('    type mgmt/glusterd\n    option ping-timeout 10\n    option working-directory');
  const chosen = SHIPPED.replace('ping-timeout 0', 'ping-timeout 42');
  expect(configureGlusterd(chosen)).toBe(chosen);
});
