/** What a person asks of an export: whom it may be served to, and what clients lose by a change. Pure. */
import type { NfsExport } from '../../schemas/volume-attachment-record.ts';
import { clientFault, clientsBeyond, readClient } from './clients.ts';

export interface AskedClients {
  /** As people write them; the volume's own list when left out. */
  readonly to?: readonly string[] | undefined;
  /** Who may mount the volume itself; everybody when empty. */
  readonly allowFrom: readonly string[];
  /** Addresses of the nodes, who always may. */
  readonly nodeAddresses: readonly string[];
  /** The volume is adopted: who may mount it is with the engine alone. */
  readonly isListUnknown: boolean;
  /** The export may go beyond who may mount the volume. */
  readonly mayGoBeyond: boolean;
}

export type ChosenClients =
  | { readonly ok: true; readonly clients: readonly string[] }
  | { readonly ok: false; readonly fault: 'nobody' | 'unread' | 'unknown' | 'beyond'; readonly message: string };

/** Clients of an export as they are stored, or why they cannot be had. */
export function chooseClients(ask: AskedClients): ChosenClients {
  const { to, allowFrom, nodeAddresses, mayGoBeyond } = ask;
  const asked = to ?? allowFrom;
  if (asked.length === 0) {
    const message = 'nobody is named who may mount the export, and the volume has no list of its own';
    return { ok: false, fault: 'nobody', message };
  }
  const unread = asked.find((text) => readClient(text) === undefined);
  if (unread !== undefined) {
    const fault = clientFault(unread) ?? 'cannot be read';
    return { ok: false, fault: 'unread', message: `client ${JSON.stringify(unread.slice(0, 64))} ${fault}` };
  }
  const clients = [...new Set(asked.flatMap((text) => readClient(text) ?? []))].toSorted();
  if (mayGoBeyond) return { ok: true, clients };
  if (ask.isListUnknown) {
    return { ok: false, fault: 'unknown', message: 'it is adopted, and only the engine knows who may mount it' };
  }
  if (allowFrom.length === 0) return { ok: true, clients };
  const beyond = clientsBeyond(clients, [...allowFrom, ...nodeAddresses]);
  if (beyond.length === 0) return { ok: true, clients };
  const message = `${beyond.join(', ')} may not mount the volume itself, which is allowed to ${allowFrom.join(', ')}`;
  return { ok: false, fault: 'beyond', message };
}

export interface ExportTerms extends Pick<NfsExport, 'squash' | 'mayGoBeyond'> {
  readonly clients: readonly string[];
  readonly isReadOnly: boolean;
}

/** What clients lose when an export changes; nothing where they only gain. */
export function lossesOf(before: ExportTerms, after: ExportTerms): readonly string[] {
  const refused = clientsBeyond(before.clients, after.clients);
  return [
    ...(refused.length > 0 ? [`${refused.join(', ')} cannot use it any more, or not wholly`] : []),
    ...(!before.isReadOnly && after.isReadOnly ? ['nobody can write any more'] : []),
    ...(before.squash === 'none' && after.squash === 'root' ? ['root of its clients is root no more'] : []),
  ];
}
