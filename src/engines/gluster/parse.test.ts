import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError, isAppError } from '../../domain/errors.ts';
import {
  hasSpareBricks,
  isHealLaunched,
  parseHealInfo,
  parsePeers,
  parseQuotaList,
  parseVersion,
  parseVolumeInfo,
  parseVolumeStatus,
} from './parse.ts';
import { isBusy, type Output, parseReply, type Reply, refusal, wholeNumber } from './reply.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

/** A sample: what gluster 10.3 printed for one command; `.err` beside it is standard error. */
function sample(name: string): Output {
  const names = readdirSync(FIXTURES);
  const read = (file: string) => (names.includes(file) ? readFileSync(join(FIXTURES, file), 'utf8') : '');
  return { stdout: read(name), stderr: read(`${name}.err`), code: 0 };
}

function reply(name: string): Reply {
  return parseReply(sample(name), `gluster ${name}`);
}

/** What each sample is: an accepted command, a refused one (opRet, kind, reason), or no XML (kind, reason). */
type Verdict = 'ok' | `${number} ${string} ${string}` | `${'invalid' | 'internal'} ${string}`;

const TEXT = 'internal MalformedAnswer';
const LVM = '-1 precondition EngineRefused';
const MISSING = '-1 notFound VolumeMissing';
const VERDICTS: Readonly<Record<string, Verdict>> = {
  'bitrot-disable.xml': TEXT,
  'bitrot-status.xml': 'internal NoAnswer',
  'bitrot.xml': TEXT,
  'clear-locks.xml': TEXT,
  'create-bad-count.xml': '-1 precondition EngineRefused',
  'create-badname.xml': 'invalid CommandRefused',
  'create-existing-brick.xml': '-1 precondition EngineRefused',
  'create-existing-name.xml': '-1 exists VolumeExists',
  'create-missing-parent.xml': '-1 precondition EngineRefused',
  'create-ok.xml': '-1 precondition EngineRefused',
  'create-reuse-deleted-force.xml': 'ok',
  'create-reuse-deleted.xml': '-1 precondition EngineRefused',
  'create-same-server.xml': '-1 precondition EngineRefused',
  'create-syntax.xml': 'invalid CommandRefused',
  'create-unknown-host.xml': '-1 unavailable PeerAway',
  'delete-ok.xml': MISSING,
  'delete-started.xml': '-1 precondition EngineRefused',
  'geo-rep-status.xml': TEXT,
  'heal-count.xml': TEXT,
  'heal-full.xml': TEXT,
  'heal-info-real-sb.xml': 'ok',
  'heal-info-splitbrain-real.xml': 'ok',
  'heal-info-splitbrain.xml': 'ok',
  'heal-info-summary-sb.xml': 'ok',
  'heal-info-summary.xml': 'ok',
  'heal-info.xml': 'ok',
  'heal-on-distribute.xml': '-1 precondition EngineRefused',
  'peer-detach-used.xml': '1 precondition EngineRefused',
  'peer-probe-again.xml': 'ok',
  'peer-probe-unknown.xml': '-1 unavailable PeerAway',
  'peer-status.xml': 'ok',
  'pool-list.xml': 'ok',
  'profile-info.xml': 'ok',
  'profile-start.xml': 'ok',
  'profile-stop.xml': 'ok',
  'quota-enable.xml': 'ok',
  'quota-limit-nopath.xml': '-2 precondition EngineRefused',
  'quota-limit.xml': 'ok',
  'quota-list-disabled.xml': '-1 precondition EngineRefused',
  'quota-list-path.xml': 'ok',
  'quota-list.xml': 'ok',
  'rebalance-start.xml': 'ok',
  'rebalance-status-done.xml': 'ok',
  'rebalance-status-none.xml': '-1 precondition EngineRefused',
  'rebalance-status.xml': 'ok',
  'remove-brick-status.xml': 'ok',
  'snapshot-config.xml': LVM,
  'snapshot-create.xml': LVM,
  'snapshot-list.xml': LVM,
  'start-ok.xml': MISSING,
  'start-started.xml': '-1 precondition EngineRefused',
  'statedump.xml': 'ok',
  'stop-missing.xml': MISSING,
  'stop-ok.xml': MISSING,
  'system-getspec.xml': TEXT,
  'top.xml': 'ok',
  'version.xml': TEXT,
  'volume-get-all.xml': 'ok',
  'volume-get-one.xml': 'ok',
  'volume-info-missing.xml': MISSING,
  'volume-info-one.xml': 'ok',
  'volume-info.xml': 'ok',
  'volume-list.xml': 'ok',
  'volume-reset.xml': 'ok',
  'volume-set-bad.xml': '-1 invalid InvalidOption',
  'volume-set-badval.xml': '-1 invalid InvalidOption',
  'volume-set.xml': 'ok',
  'volume-status-all.xml': 'ok',
  'volume-status-callpool.xml': 'ok',
  'volume-status-clients.xml': 'ok',
  'volume-status-detail.xml': 'ok',
  'volume-status-fd.xml': 'ok',
  'volume-status-inode.xml': 'ok',
  'volume-status-mem.xml': 'ok',
  'volume-status-stopped-or-missing.xml': MISSING,
  'volume-status-tasks.xml': 'ok',
  'volume-status.xml': 'ok',
};

function judge(name: string): string {
  try {
    const answer = reply(name);
    if (answer.isOk) return 'ok';
    const error = refusal(answer, 'cannot', 'volume x');
    return `${answer.opRet} ${error.kind} ${error.reason}`;
  } catch (error) {
    return isAppError(error) ? `${error.kind} ${error.reason}` : `not an AppError: ${String(error)}`;
  }
}

describe('real answers', () => {
  it('covers every sample', () => {
    const samples = readdirSync(FIXTURES).filter((name) => name.endsWith('.xml'));
    expect(samples.length).toBeGreaterThan(70);
    expect(Object.keys(VERDICTS).toSorted()).toEqual(samples.toSorted());
  });

  it.each(Object.entries(VERDICTS))('%s is %s', (name, verdict) => {
    expect(judge(name)).toBe(verdict);
  });

  it('keeps the words of the engine in the error', () => {
    const error = refusal(reply('create-unknown-host.xml'), 'cannot create volume gv0', 'volume gv0');
    expect(error.message).toBe("cannot create volume gv0: gluster says: Host kube9 is not in 'Peer in Cluster' state");
  });
});

describe('parseVolumeInfo', () => {
  it('reads each volume of all layouts', () => {
    const volumes = parseVolumeInfo(reply('volume-info.xml'));
    const counts = volumes.map((volume) => `${volume.name} ${volume.type} ${volume.bricks.length}`);
    expect(counts).toEqual([
      'varb Replicate 3',
      'varb2 Replicate 3',
      'vdd Distributed-Disperse 6',
      'vdisp Disperse 3',
      'vdisp4 Disperse 4',
      'vdispd Disperse 3',
      'vdist Distribute 3',
      'vdr22 Distributed-Replicate 4',
      'vdr22f Distributed-Replicate 4',
      'vdr23 Distributed-Replicate 6',
      'vrep3 Replicate 3',
    ]);
    expect(volumes.filter((volume) => !hasSpareBricks(volume)).map((volume) => volume.name)).toEqual(['vdist']);
    expect(volumes.map((volume) => volume.disperseCount)).toEqual([0, 0, 3, 3, 4, 3, 0, 0, 0, 0, 0]);
    expect(volumes.map((volume) => volume.state)).toEqual(volumes.map(() => 'started'));
    expect(volumes[0]?.bricks.map((brick) => brick.isArbiter)).toEqual([false, false, true]);
  });

  it('reads bricks in order, and options', () => {
    const [volume] = parseVolumeInfo(reply('volume-info-one.xml'));
    expect(volume).toMatchObject({ name: 'vrep3', id: '9cdda737-371d-47f6-8359-aba36ca06fc1', replicaCount: 3 });
    expect(volume?.bricks.map((brick) => `${brick.node}:${brick.path}`)).toEqual([
      'kube1:/mnt/glusterVolume0/vrep3',
      'kube2:/mnt/glusterVolume0/vrep3',
      'kube3:/mnt/glusterVolume0/vrep3',
    ]);
    expect(volume?.options['cluster.granular-entry-heal']).toBe('on');
  });

  it('finds no volume in the answer about a missing one', () => {
    expect(parseVolumeInfo(reply('volume-info-missing.xml'))).toEqual([]);
  });
});

describe('parseVolumeStatus', () => {
  it('lists bricks and leaves services out', () => {
    const bricks = parseVolumeStatus(reply('volume-status.xml'), 'vrep3');
    expect(bricks.map((brick) => [brick.node, brick.isOnline, brick.port])).toEqual([
      ['kube1', true, 54186],
      ['kube2', true, 49953],
      ['kube3', true, 53681],
    ]);
  });

  it('reads only the volume that was asked for', () => {
    const names = parseVolumeStatus(reply('volume-status-all.xml'), 'vdd').map((brick) => brick.node);
    expect(names).toHaveLength(6);
    expect(parseVolumeStatus(reply('volume-status-all.xml'), 'nosuch')).toEqual([]);
  });

  it('reads a brick that is down', () => {
    const text = sample('volume-status.xml').stdout.replace('<status>1</status>', '<status>0</status>');
    const down = text.replaceAll('54186', 'N/A').replace('<pid>186</pid>', '<pid>-1</pid>');
    const bricks = parseVolumeStatus(parseReply({ stdout: down, stderr: '', code: 0 }, 'status'), 'vrep3');
    expect(bricks[0]).toEqual({ node: 'kube1', path: '/mnt/glusterVolume0/vrep3', isOnline: false });
  });
});

describe('parsePeers', () => {
  it('reads members and this machine', () => {
    const peers = parsePeers(reply('pool-list.xml'));
    expect(peers.map((peer) => [peer.names.join(), peer.isMember, peer.isConnected, peer.isSelf])).toEqual([
      ['kube2', true, true, false],
      ['kube3', true, true, false],
      ['kube4', true, true, false],
      ['localhost', true, true, true],
    ]);
  });
});

describe('parseHealInfo', () => {
  it('tells entries to heal from entries in split brain', () => {
    const bricks = parseHealInfo(reply('heal-info-summary-sb.xml'));
    expect(bricks.map((brick) => [brick.isConnected, brick.pending, brick.splitBrain])).toEqual([
      [true, 1, 2],
      [true, 1, 2],
    ]);
  });

  it('reads a brick that could not be asked', () => {
    const text = sample('heal-info-summary.xml')
      .stdout.replace('Connected', 'Transport endpoint is not connected')
      .replace('<totalNumberOfEntries>0<', '<totalNumberOfEntries>-<')
      .replace('<numberOfEntriesInSplitBrain>0<', '<numberOfEntriesInSplitBrain>-<');
    const [brick] = parseHealInfo(parseReply({ stdout: text, stderr: '', code: 0 }, 'heal info'));
    expect(brick).toEqual({
      node: 'kube1',
      path: '/mnt/glusterVolume0/vrep3',
      isConnected: false,
      statusText: 'Transport endpoint is not connected',
    });
  });
});

describe('other answers', () => {
  it('reads quota limits, version and heal text', () => {
    expect(parseQuotaList(reply('quota-list.xml'))).toEqual({ '/': 104857600 });
    expect(parseVersion(sample('version.xml').stdout)).toBe('10.3');
    expect(parseVersion('something else')).toBeUndefined();
    expect(isHealLaunched(sample('heal-full.xml').stdout)).toBe(true);
    expect(isHealLaunched('Launching heal operation to perform index self heal has been unsuccessful')).toBe(false);
  });

  it('reads no number out of "-" and "N/A"', () => {
    expect(['-', 'N/A', '', undefined, '1e9', '12'].map(wholeNumber)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      12,
    ]);
  });

  it('knows a busy volume by number and by text', () => {
    const busy = { opRet: -1, opErrno: 30802, text: 'Another transaction is in progress for s1.' };
    expect(isBusy(refusal(busy, 'cannot set', 'volume s1'))).toBe(true);
    expect(isBusy(refusal({ ...busy, opErrno: 30800 }, 'cannot set', 'volume s1'))).toBe(true);
    const cutOff = 'Locking failed on kube3. Please check log file for details.';
    expect(isBusy(refusal({ ...busy, opErrno: 30800, text: cutOff }, 'cannot see', 'volume s1'))).toBe(true);
    expect(isBusy(refusal({ ...busy, opErrno: 30800, text: 'no' }, 'cannot set', 'volume s1'))).toBe(false);
    expect(refusal(busy, 'cannot set', 'volume s1').kind).toBe('conflict');
  });

  it('says that glusterd is not there, and what to do', () => {
    const output = {
      stdout: '',
      stderr: 'Connection failed. Please check if gluster daemon is operational.\n',
      code: 1,
    };
    for (const answer of [output, { ...output, stdout: output.stderr, stderr: '' }]) {
      expect(() => parseReply(answer, 'gluster pool list')).toThrow(
        expect.objectContaining({ kind: 'unavailable', reason: 'EngineNotRunning' }),
      );
    }
  });
});

describe('damaged answers', () => {
  const whole = sample('volume-info-one.xml').stdout.trimEnd();

  it('refuses every shortened answer, naming the command', () => {
    for (let length = 0; length < whole.length; length += 7) {
      const cut = { stdout: whole.slice(0, length), stderr: '', code: 0 };
      expect(() => parseReply(cut, 'gluster volume info vrep3')).toThrow(AppError);
      expect(() => parseReply(cut, 'gluster volume info vrep3')).toThrow(/gluster volume info vrep3/);
    }
  });

  it.each([
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a><opRet>0</opRet>&y;</a>'],
    ['an outside entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><opRet>0</opRet>&x;</a>'],
    ['a polluting name', '<cliOutput><opRet>0</opRet><__proto__><isOk>1</isOk></__proto__></cliOutput>'],
    ['deep nesting', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`],
    ['two roots', '<cliOutput><opRet>0</opRet></cliOutput><cliOutput/>'],
    ['no opRet', '<cliOutput><opErrno>0</opErrno></cliOutput>'],
    ['an opRet that is no number', '<cliOutput><opRet>zero</opRet></cliOutput>'],
    ['a huge answer', `<cliOutput><opRet>0</opRet>${'x'.repeat(5_000_000)}</cliOutput>`],
    ['bytes of something else', '\u007fELF\u0002\u0001\u0001\u0000'],
  ])('refuses %s', (_name, stdout) => {
    expect(() => parseReply({ stdout, stderr: '', code: 0 }, 'gluster x')).toThrow(
      expect.objectContaining({ kind: 'internal', reason: 'MalformedAnswer' }),
    );
  });

  it('takes the characters of XML, and only those, out of their escapes', () => {
    const stdout = '<a><opRet>-1</opRet><opErrstr>&lt;b&gt; &amp;amp; &#39;x&#x27; &nbsp;</opErrstr></a>';
    expect(parseReply({ stdout, stderr: '', code: 0 }, 'x').text).toBe("<b> &amp; 'x' &nbsp;");
  });

  it('refuses bricks and volumes without the fields it needs', () => {
    const parse = (body: string) =>
      parseReply({ stdout: `<a><opRet>0</opRet>${body}</a>`, stderr: '', code: 0 }, 'gluster x');
    const bricks = (text: string) => `<healInfo><bricks><brick><name>${text}</name></brick></bricks></healInfo>`;
    expect(() => parseHealInfo(parse(bricks('no-path')))).toThrow(/no-path/);
    expect(() => parseHealInfo(parse(bricks('')))).toThrow(/<name> is missing/);
    expect(() => parseVolumeInfo(parse('<volInfo><volumes><volume/></volumes></volInfo>'))).toThrow(/<name>/);
  });
});
