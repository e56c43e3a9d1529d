/** Ages as kubectl prints them: two units at most, fewer the longer it is. */

/** @param ms - span in milliseconds; "<invalid>" when it lies in the future by more than a second */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  // The steps are those of k8s.io/apimachinery/pkg/util/duration, which every column of kubectl uses.
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair([minutes, 'm'], [seconds % 60, 's']);
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair([hours, 'h'], [minutes % 60, 'm']);
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair([days, 'd'], [hours % 24, 'h']);
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? pair([years, 'y'], [days % 365, 'd']) : `${years}y`;
}

function pair(large: readonly [number, string], small: readonly [number, string]): string {
  const first = `${large[0]}${large[1]}`;
  return small[0] === 0 ? first : `${first}${small[0]}${small[1]}`;
}
