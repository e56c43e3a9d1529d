/** From the bytes of a plan file to a checked plan, or to every fault in it at its line and column. */
import { AppError, type Fault } from '../../domain/errors.ts';
import { checkPlan } from '../../domain/plan/check-plan.ts';
import { formatPath, type PlanFault, type PlanPath } from '../../domain/plan/fault.ts';
import { PlanFile } from '../../schemas/plan-file.ts';
import { describeIssue } from './describe-issues.ts';
import { fillDefaults } from './fill-defaults.ts';
import { readYamlTree, type TreeFault, type YamlTree } from './yaml-tree.ts';

/** A plan of 1,000 nodes takes about 200 KB. */
export const MAX_PLAN_BYTES = 1024 * 1024;

/**
 * Parses and checks a plan.
 *
 * @param content - the file's bytes, at most {@link MAX_PLAN_BYTES}
 * @param source - its name, for messages
 * @throws {AppError} invalid, with every fault
 */
export function parsePlan(content: Uint8Array, source: string): PlanFile {
  const tree = readYamlTree(decode(content, source));
  if (!tree.isSound) throw refuse(source, tree.faults.map(asFault));
  // An empty file is a plan without anything in it.
  const plan = fillDefaults(tree.value ?? {});
  const parsed = PlanFile.safeParse(plan);
  const issues = parsed.success ? [] : parsed.error.issues.flatMap((issue) => describeIssue(issue, plan));
  const further = [...issues, ...checkPlan(plan)].filter(({ path }) => !follows(path, tree));
  const faults = [...tree.faults.map(asFault), ...further.map((fault) => locate(fault, tree))];
  if (parsed.success && faults.length === 0) return parsed.data;
  throw refuse(source, faults);
}

function decode(content: Uint8Array, source: string): string {
  if (content.byteLength > MAX_PLAN_BYTES) {
    throw new AppError('invalid', `${source} is larger than 1 MiB, the limit for a plan`, { reason: 'PlanTooLarge' });
  }
  const text = decodeUtf8(content);
  if (text === undefined || /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) {
    throw new AppError('invalid', `${source} is not a text file in UTF-8`, {
      reason: 'PlanNotText',
      hint: 'name the plan file with -f',
    });
  }
  return text;
}

function decodeUtf8(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    // Invalid UTF-8 is an expected answer here, not a failure.
    return undefined;
  }
}

function asFault({ path: _path, isLost: _isLost, ...fault }: TreeFault): Fault {
  return fault;
}

/** What is missing or wrong at a place whose value could not be taken says nothing new. */
function follows(path: PlanPath, tree: YamlTree): boolean {
  return tree.faults.some((fault) => fault.isLost && fault.path.every((part, at) => part === path[at]));
}

function locate(fault: PlanFault, tree: YamlTree): Fault {
  const place = tree.placeOf(fault.path, fault.at);
  const other = fault.other === undefined ? undefined : tree.placeOf(fault.other, 'value');
  const lines = other === undefined ? '' : ` (lines ${other.line} and ${place.line})`;
  return { ...place, field: formatPath(fault.path), message: `${fault.message}${lines}; ${fault.fix}` };
}

function refuse(source: string, found: readonly Fault[]): AppError {
  const faults = found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new AppError('invalid', `${source} has ${count}; nothing was changed`, { reason: 'InvalidPlan', faults });
}
