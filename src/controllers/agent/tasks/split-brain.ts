/** listSplitBrain and showSplitBrain: looking, nothing else. */

import type { CopyVersion } from '../../../domain/split-brain/judge-versions.ts';
import { engineNameOf, nodeCalled } from '../../../domain/volume/engine-name.ts';
import { copiesHere } from './copies-here.ts';
import type { TaskRunner } from './task-runner.ts';
import { requirePath, requireVolume } from './task-volume.ts';

/** More than this is no list for people, and too much for one object. */
const MOST_ENTRIES = 1_000;

export const listSplitBrain: TaskRunner = {
  run: async (context) => {
    const volume = requireVolume(context);
    const { entries, silent } = await context.deps.work.listSplitBrain(engineNameOf(volume), context.signal);
    const away = silent.map((host) => nodeCalled(volume, host));
    const result = { entries: entries.slice(0, MOST_ENTRIES), count: entries.length, silent: away };
    return {
      part: { state: 'Succeeded', message: `entries in split-brain: ${entries.length}`, progress: 100, result },
    };
  },
};

export const showSplitBrain: TaskRunner = {
  run: async (context) => {
    const { deps, signal, isLead } = context;
    const name = engineNameOf(requireVolume(context));
    const path = requirePath(context);
    const versions: CopyVersion[] = [];
    for (const { copy, node, brickPath } of copiesHere(context)) {
      const version = await deps.work.inspectEntry(brickPath, path, signal);
      if (version !== undefined) versions.push({ ...version, copy, node, brickPath });
    }
    const entries = isLead ? (await deps.work.listSplitBrain(name, signal)).entries : [];
    const listed = isLead ? { isListed: entries.some((entry) => entry.path === path) } : {};
    return { part: { state: 'Succeeded', progress: 100, result: { versions, ...listed } } };
  },
};
