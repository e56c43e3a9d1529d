import { describe, expect, it } from 'vitest';
import type { StorageCluster, TlsStatus } from '../../schemas/storage-cluster.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import {
  areCertificatesWanted,
  areMountsHeldBack,
  areVolumesStopped,
  decideTls,
  isLeftBehind,
  type TlsLook,
  type TlsNode,
  wantedMode,
} from './decide-tls.ts';

const node = (name: string, more: Partial<TlsNode> = {}): TlsNode => ({
  ...{ name, isThere: true, hasCertificate: true, mode: 'plain' },
  ...more,
});
const look = (more: Partial<TlsLook> = {}): TlsLook => ({
  ...{ isWanted: true, current: undefined, hasAuthority: true, mounted: [], served: [] },
  nodes: [node('kube1'), node('kube2')],
  ...more,
});
const at = (phase: TlsStatus['phase'], isEncrypted = false): TlsStatus => ({ phase, isEncrypted });

describe('decideTls', () => {
  it('says nothing of a cluster that was never asked to encrypt', () => {
    expect(decideTls(look({ isWanted: false }))).toBeUndefined();
  });

  it('interrupts nothing before every node that is there has its certificate', () => {
    const nodes = [node('kube1'), node('kube2', { hasCertificate: false }), node('kube3', { hasCertificate: false })];
    expect(decideTls(look({ nodes }))).toMatchObject({
      phase: 'Preparing',
      message: 'waits for the certificates of kube2, kube3',
    });
    const away = [node('kube1'), node('kube2', { hasCertificate: false, isThere: false })];
    expect(decideTls(look({ nodes: away, current: at('Preparing') }))).toMatchObject({ phase: 'Unmounting' });
    expect(decideTls(look({ nodes: [node('kube1', { isThere: false })] }))).toMatchObject({ phase: 'Preparing' });
    expect(decideTls(look({ hasAuthority: false }))?.message).toContain('no authority');
  });

  it('stops no volume that is mounted, and restarts nothing while a volume is served or mounted', () => {
    const mounted = ['gv0 on kube1'];
    expect(decideTls(look({ current: at('Unmounting'), mounted }))).toMatchObject({
      phase: 'Unmounting',
      message: 'waits for mounts to end: gv0 on kube1',
    });
    expect(decideTls(look({ current: at('Unmounting') }))).toMatchObject({ phase: 'Stopping', isEncrypted: false });
    expect(decideTls(look({ current: at('Stopping'), mounted }))).toMatchObject({ phase: 'Stopping' });
    expect(decideTls(look({ current: at('Stopping'), served: ['gv0'] }))).toMatchObject({
      phase: 'Stopping',
      message: 'waits for volumes to stop: gv0',
    });
    expect(decideTls(look({ current: at('Stopping') }))).toMatchObject({ phase: 'Restarting', isEncrypted: true });
  });

  it('serves nothing before every daemon that is there speaks what was asked for', () => {
    const current = at('Restarting', true);
    const half = [node('kube1', { mode: 'encrypted' }), node('kube2', { mode: 'unknown' })];
    expect(decideTls(look({ current, nodes: half }))).toMatchObject({
      phase: 'Restarting',
      message: 'waits for the daemons of kube2 (encrypted)',
    });
    const nobody = half.map((each) => ({ ...each, isThere: false }));
    expect(decideTls(look({ current, nodes: nobody }))).toMatchObject({ phase: 'Restarting' });
    const all = [node('kube1', { mode: 'encrypted' }), node('kube2', { isThere: false })];
    expect(decideTls(look({ current, nodes: all }))).toEqual(at('On', true));
  });

  it('takes the change back: at once before the first restart, by another restart after it', () => {
    expect(decideTls(look({ isWanted: false, current: at('Preparing') }))).toEqual(at('Off'));
    for (const phase of ['Unmounting', 'Stopping'] as const) {
      expect(decideTls(look({ isWanted: false, current: at(phase) }))).toEqual(at('Off'));
      expect(decideTls(look({ current: at(phase, true) }))).toEqual(at('On', true));
    }
    // A stop that is under way must not reach a volume that is mounted again.
    const served = look({ isWanted: false, current: at('Stopping'), served: ['gv0'] });
    expect(decideTls(served)).toMatchObject({ phase: 'Stopping', message: 'waits for volumes to stop: gv0' });
    const nodes = [node('kube1', { mode: 'encrypted' }), node('kube2')];
    expect(decideTls(look({ isWanted: false, current: at('Restarting', true), nodes }))).toMatchObject({
      phase: 'Restarting',
      isEncrypted: false,
    });
  });

  it('goes back to plain through the same window, and stays where it is wanted', () => {
    const nodes = [node('kube1', { mode: 'encrypted' })];
    let current = decideTls(look({ isWanted: false, current: at('On', true), nodes }));
    expect(current).toMatchObject({ phase: 'Stopping', isEncrypted: true });
    current = decideTls(look({ isWanted: false, current, nodes }));
    expect(current).toMatchObject({ phase: 'Restarting', isEncrypted: false });
    expect(decideTls(look({ isWanted: false, current, nodes: [node('kube1')] }))).toEqual(at('Off'));
    expect(decideTls(look({ current: at('On', true), nodes }))).toEqual(at('On', true));
    expect(decideTls(look({ isWanted: false, current: at('Off'), nodes }))).toEqual(at('Off'));
  });
});

describe('what the phases ask of nodes', () => {
  const cluster = (tls: TlsStatus | undefined): StorageCluster => ({
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageCluster', metadata: {}, spec: { nodes: ['kube1'] } },
    ...(tls === undefined ? {} : { status: { tls } }),
  });
  const stored = (mode: TlsNode['mode']): StorageNode => ({
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageNode', metadata: { name: 'kube1' } },
    spec: { addresses: { ip: '10.0.0.1' }, pools: [] },
    status: { tls: { mode } },
  });

  it('touches nothing where encryption was never asked for', () => {
    expect(wantedMode(undefined)).toBeUndefined();
    expect(areMountsHeldBack(cluster(undefined), stored('encrypted'))).toBe(false);
    expect(areCertificatesWanted(undefined)).toBe(false);
    expect(isLeftBehind(undefined, stored('encrypted'))).toBe(false);
  });

  it('holds mounts back in the window, and on a node that speaks what the others do not', () => {
    for (const phase of ['Unmounting', 'Stopping', 'Restarting'] as const) {
      expect(areMountsHeldBack(cluster(at(phase)), stored('plain'))).toBe(true);
    }
    expect(areMountsHeldBack(cluster(at('Preparing')), stored('plain'))).toBe(false);
    expect(areMountsHeldBack(cluster(at('On', true)), stored('encrypted'))).toBe(false);
    expect(areMountsHeldBack(cluster(at('On', true)), stored('plain'))).toBe(true);
    // Busy is not left behind: its mounts and bricks go on.
    expect(areMountsHeldBack(cluster(at('On', true)), stored('unknown'))).toBe(false);
    expect(isLeftBehind(at('Off'), stored('encrypted'))).toBe(true);
  });

  it('lets daemons be restarted only while everything is stopped, or where they were left behind', () => {
    expect(['Preparing', 'Unmounting', 'Stopping'].map((phase) => wantedMode(at(phase as TlsStatus['phase'])))).toEqual(
      [undefined, undefined, undefined],
    );
    expect(wantedMode(at('Restarting', true))).toBe('encrypted');
    expect(wantedMode(at('Off'))).toBe('plain');
    expect(areVolumesStopped(at('Restarting'))).toBe(true);
    expect(areVolumesStopped(at('Unmounting'))).toBe(false);
  });
});
