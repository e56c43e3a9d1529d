/** Spans of time as people write them: "90", "90s", "2m", "1h30m". */
import { AppError } from './errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
const DURATION = /^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|h|m|s))+$/;
/** As much as a timer of Node can wait: 24 days. */
const MAX_MS = 24 * 24 * 3_600_000;

/**
 * Reads a span as milliseconds; a bare number is seconds.
 *
 * @throws {AppError} invalid, when the text is no span; range, when it is longer than 24 days
 */
export function parseDuration(text: string): number {
  const written = /^\d{1,9}$/.test(text) ? `${text}s` : text;
  if (!DURATION.test(written)) {
    throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is not a length of time`, {
      hint: 'write a number and a unit, for example 90s, 2m or 1h',
    });
  }
  const parts = written.matchAll(/([\d.]+)(ms|h|m|s)/g);
  const total = [...parts].reduce((sum, [, digits, unit]) => sum + Number(digits) * (UNIT_MS[unit ?? ''] ?? 0), 0);
  if (total > MAX_MS) throw new AppError('range', `${text} is too long: at most 24 days can be waited for`);
  return Math.round(total);
}
