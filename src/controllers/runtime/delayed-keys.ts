/** Keys that become due later, each once, at the earliest time anyone asked for: the waiting room of the work queue. */
import type { Clock, Millis } from '../../ports/clock.ts';

interface Entry {
  readonly key: string;
  readonly dueAt: Millis;
}

export interface DelayedKeys {
  /** Plans a key for `ms` from now; a plan that is earlier already stays. */
  add(key: string, ms: Millis): void;
  size(): number;
  /** Forgets all plans and stops the timer. */
  clear(): void;
}

/**
 * Creates the waiting room. One timer runs, for the earliest key; entries are kept in a binary heap, and one that was
 * overtaken by an earlier plan stays in it and is skipped when its turn comes.
 *
 * @param onDue - called once per due key
 */
export function createDelayedKeys(clock: Clock, onDue: (key: string) => void): DelayedKeys {
  const dueByKey = new Map<string, Millis>();
  const heap: Entry[] = [];
  let timer: { readonly dueAt: Millis; readonly controller: AbortController } | undefined;

  const releaseDue = (): void => {
    for (let first = heap[0]; first !== undefined && first.dueAt <= clock.monotonic(); first = heap[0]) {
      removeFirst(heap);
      if (dueByKey.get(first.key) !== first.dueAt) continue;
      dueByKey.delete(first.key);
      onDue(first.key);
    }
  };

  const arm = (): void => {
    const first = heap[0];
    if (first === undefined || (timer !== undefined && timer.dueAt <= first.dueAt)) return;
    timer?.controller.abort();
    const current = { dueAt: first.dueAt, controller: new AbortController() };
    timer = current;
    clock.sleep(first.dueAt - clock.monotonic(), current.controller.signal).then(
      () => {
        timer = undefined;
        releaseDue();
        arm();
      },
      () => undefined, // replaced by an earlier timer, or cleared
    );
  };

  return {
    add: (key, ms) => {
      const dueAt = clock.monotonic() + ms;
      const planned = dueByKey.get(key);
      if (planned !== undefined && planned <= dueAt) return;
      dueByKey.set(key, dueAt);
      insert(heap, { key, dueAt });
      arm();
    },
    size: () => dueByKey.size,
    clear: () => {
      timer?.controller.abort();
      timer = undefined;
      dueByKey.clear();
      heap.length = 0;
    },
  };
}

function insert(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || parent.dueAt <= entry.dueAt) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

function removeFirst(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const leftAt = 2 * at + 1;
    const left = heap[leftAt];
    if (left === undefined) break;
    const right = heap[leftAt + 1];
    const [child, childAt] = right !== undefined && right.dueAt < left.dueAt ? [right, leftAt + 1] : [left, leftAt];
    if (child.dueAt >= last.dueAt) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
