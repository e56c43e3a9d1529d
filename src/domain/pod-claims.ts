/** The claims that a pod uses. Pure. */

/** What of a pod is looked at, as the scheduler and the API server send it. */
export interface ClaimUser {
  readonly metadata: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | null | undefined;
    readonly annotations?: Readonly<Record<string, string>> | null | undefined;
  };
  readonly spec: {
    readonly schedulerName?: string | undefined;
    readonly volumes?:
      | readonly {
          readonly name: string;
          readonly persistentVolumeClaim?: { readonly claimName: string } | null | undefined;
          /** Its claim has the names of pod and volume (Kubernetes: generic ephemeral volumes). */
          readonly ephemeral?:
            | {
                readonly volumeClaimTemplate?:
                  | { readonly spec?: { readonly storageClassName?: string | undefined } | undefined }
                  | undefined;
              }
            | null
            | undefined;
        }[]
      | null
      | undefined;
  };
}

/** As NAMESPACE/NAME, each once. */
export function claimsOf({ metadata, spec }: ClaimUser): readonly string[] {
  const { namespace = 'default', name: pod } = metadata;
  const names = (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral && pod !== undefined ? [`${pod}-${name}`] : [];
  });
  return [...new Set(names)].map((claim) => `${namespace}/${claim}`);
}
