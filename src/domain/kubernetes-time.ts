/** Times as the Kubernetes API writes them: RFC 3339 in UTC. All take milliseconds since the epoch. */

/** Time of metadata, conditions and events, in whole seconds: "2026-11-20T23:38:51Z". */
export function kubernetesTime(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** MicroTime of leases, in whole microseconds: "2026-11-20T23:38:51.120000Z". */
export function kubernetesMicroTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}
