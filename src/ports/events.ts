/** Kubernetes Events: what `kubectl describe` and `kubectl get events` tell a person about an object. */

/** The object an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly uid?: string | undefined;
  };
}

export interface Events {
  /**
   * Notes that something expected happened.
   *
   * @param reason - stable CamelCase word for programs; never holds a name or a number
   * @param message - for people, with the names and numbers
   */
  normal(subject: EventSubject, reason: string, message: string): void;
  /** Notes that something went wrong or needs a person. Same rules as {@link Events.normal}. */
  warning(subject: EventSubject, reason: string, message: string): void;
}
