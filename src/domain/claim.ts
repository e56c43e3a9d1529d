/** A claim: what a decision says about an object. The controllers turn claims into Kubernetes conditions. */
export interface Claim {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** Stable CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

/** Shorthand for writing a {@link Claim} in a decision. */
export function claim(type: string, status: Claim['status'], reason: string, message: string): Claim {
  return { type, status, reason, message };
}
