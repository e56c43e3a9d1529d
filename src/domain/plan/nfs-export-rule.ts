/** The NFS exports of a plan: only of what can be exported, and to no more than may mount the volume unless that is said. */
import { chooseClients } from '../nfs-export/export-wish.ts';
import { asText, type DraftItem, draftNodes, draftVolumes, entries, field } from './draft.ts';
import type { PlanFault } from './fault.ts';

const FIXES = {
  nobody: 'name them: to: [10.10.0.0/16]',
  unread: 'name IPv4 addresses and networks; IPv6 is not served',
  unknown:
    'see there with: gluster volume get NAME auth.allow; if the clients are among those, say beyondAllowed: true',
  beyond: 'leave them out, or say beyondAllowed: true',
} as const;

/** Checks volumes[].export. */
export function checkNfsExports(plan: unknown): readonly PlanFault[] {
  const nodeAddresses = draftNodes(plan).flatMap((node) =>
    ['ip', 'internalip'].flatMap((name) => asText(field(node, name))?.value ?? []),
  );
  return draftVolumes(plan).flatMap((volume): readonly PlanFault[] => {
    const wish = field(volume, 'export');
    if (wish.value === undefined) return [];
    const { value: engine = 'gluster' } = field(volume, 'engine');
    if (engine !== 'gluster') {
      const message = 'only a volume of engine gluster is exported';
      return [{ path: wish.path, at: 'key', message, fix: 'leave it out' }];
    }
    const to = field(wish, 'to');
    const chosen = chooseClients({
      to: to.value === undefined ? undefined : textsOf(to),
      allowFrom: textsOf(field(volume, 'allow')),
      nodeAddresses,
      isListUnknown: field(volume, 'adopted').value !== undefined,
      mayGoBeyond: field(wish, 'beyondAllowed').value === true,
    });
    if (chosen.ok) return [];
    const where =
      to.value === undefined ? ({ path: wish.path, at: 'key' } as const) : ({ path: to.path, at: 'value' } as const);
    return [{ ...where, message: chosen.message, fix: FIXES[chosen.fault] }];
  });
}

function textsOf(list: DraftItem): readonly string[] {
  return entries(list).flatMap((item) => asText(item)?.value ?? []);
}
