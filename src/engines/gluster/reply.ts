/**
 * The frame of every answer of `gluster --xml`: did it work, and if not, what does it say. The exit code is no help:
 * it is 0 for nearly every refused command (measured on 10.3 over 75 commands).
 */
import { AppError } from '../../domain/errors.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Another command holds the lock of the volume or of the cluster: try again. */
const BUSY_ERRNO = 30802;
/** Some answers carry only the generic number. The second is what is said while a peer that was cut off is not yet counted out. */
const BUSY = /another transaction is in progress|^Locking failed on /i;

export interface Reply {
  readonly isOk: boolean;
  /** 0 for success; failures are -1, -2 or +1. */
  readonly opRet: number;
  readonly opErrno: number;
  /** The engine's own words; may be set although the command worked. */
  readonly text: string;
  readonly root: XmlElement;
}

/** What a run of the gluster program left behind. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/**
 * Reads an answer that was asked for as XML.
 *
 * @param command - for messages: what was asked
 * @throws {AppError} unavailable, when glusterd is not there; invalid, when the program refused the words it was given
 *   (it then prints its usage and no XML); internal, when the answer is malformed
 */
export function parseReply(output: Output, command: string): Reply {
  if (output.stdout.trim() === '') throw noAnswer(output, command);
  if (isDaemonMissing(output.stdout)) throw noAnswer({ ...output, stderr: output.stdout }, command);
  const root = parseXml(output.stdout, command);
  const opRet = wholeNumber(root.child('opRet')?.text);
  if (opRet === undefined) {
    throw new AppError('internal', `the answer of "${command}" does not say whether it worked (no opRet)`, {
      reason: 'MalformedAnswer',
      hint: 'check that this GlusterFS release is a supported one (10 or 11)',
    });
  }
  return {
    isOk: opRet === 0,
    opRet,
    opErrno: wholeNumber(root.child('opErrno')?.text) ?? 0,
    text: root.child('opErrstr')?.text || (opRet === 0 ? '' : (root.child('output')?.text ?? '')),
    root,
  };
}

/** True for the error of a command that met another one on the same volume: it can be repeated as it is. */
export function isBusy(error: unknown): boolean {
  return error instanceof AppError && error.reason === 'EngineBusy';
}

/**
 * The error for an answer that says no.
 *
 * @param about - what could not be done, as the beginning of a sentence: "cannot create volume gv0"
 */
export function refusal(reply: Pick<Reply, 'opRet' | 'opErrno' | 'text'>, about: string, resource: string): AppError {
  const words = reply.text || `no reason given (opRet ${reply.opRet}, opErrno ${reply.opErrno})`;
  const message = `${about}: gluster says: ${words.trim()}`;
  if (reply.opErrno === BUSY_ERRNO || BUSY.test(words)) {
    return new AppError('conflict', message, {
      resource,
      reason: 'EngineBusy',
      hint: 'another gluster command is running on it; it is tried again',
    });
  }
  const found = REFUSALS.find((candidate) => candidate.pattern.test(words));
  return new AppError(found?.kind ?? 'precondition', message, {
    resource,
    reason: found?.reason ?? 'EngineRefused',
    hint: found?.hint ?? 'see /var/log/glusterfs/glusterd.log and cli.log on the node that ran it',
  });
}

const REFUSALS = [
  {
    pattern: /^option\b|in "option /i,
    kind: 'invalid',
    reason: 'InvalidOption',
    hint: 'list the options: gluster volume set help',
  },
  {
    pattern: /^Volume\b.* does not exist/i,
    kind: 'notFound',
    reason: 'VolumeMissing',
    hint: 'list what exists: gluster volume list',
  },
  {
    pattern: /already exists/i,
    kind: 'exists',
    reason: 'VolumeExists',
    hint: 'choose another name, or adopt the volume',
  },
  {
    pattern: /not in 'Peer in Cluster' state|Some of the peers are down|not connected/i,
    kind: 'unavailable',
    reason: 'PeerAway',
    hint: 'see which machines are away: gluster pool list',
  },
  {
    // Asked for its progress while the process of a rebalance is only starting, or ends: the next look passes.
    pattern: /Syncop Mgmt brick op|Brick ops failed on/i,
    kind: 'unavailable',
    reason: 'ProcessSilent',
    hint: 'it is tried again; if it stays so, see the brick logs in /var/log/glusterfs/bricks',
  },
  {
    pattern: /quorum/i,
    kind: 'unavailable',
    reason: 'NoQuorum',
    hint: 'more than half of the pool must be up: gluster pool list',
  },
] as const;

function noAnswer(output: Output, command: string): AppError {
  const said = firstLine(output.stderr);
  if (isDaemonMissing(output.stderr)) {
    return new AppError('unavailable', `glusterd does not answer "${command}": ${said}`, {
      reason: 'EngineNotRunning',
      hint: 'start it (systemctl start glusterd) and look into /var/log/glusterfs/glusterd.log',
    });
  }
  if (/usage/i.test(output.stderr)) {
    return new AppError('invalid', `gluster does not accept "${command}"`, {
      reason: 'CommandRefused',
      hint: 'this is a name or option that gluster does not take; it printed its usage and did nothing',
    });
  }
  return new AppError('internal', `"${command}" answered nothing (exit code ${output.code}): ${said || 'no message'}`, {
    reason: 'NoAnswer',
    hint: 'run the command by hand on the node',
  });
}

function isDaemonMissing(text: string): boolean {
  return /Connection failed\. Please check if gluster daemon is operational/i.test(text);
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '') ?? ''
  );
}

/** A whole number as gluster prints it, or undefined for "-", "N/A", "" and everything else. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
