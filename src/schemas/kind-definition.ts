/** What has to be said of a kind of the Kubernetes API to store, serve and ask for it. */
import type { z } from 'zod';

/** A column of `kubectl get`; the path is a JSONPath as CRDs take it. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean';
  readonly jsonPath: string;
  /** 1 shows it only with -o wide. */
  readonly priority?: 1;
}

export interface KindDefinition {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly schema: z.ZodType;
  readonly hasStatus: boolean;
  /**
   * 'label': names are RFC 1123 labels (63 characters, no dots), as everything made from them needs; 'node': they are names of
   * nodes; else subdomains.
   */
  readonly nameRule?: 'label' | 'node';
  /** The embedded API server does not have it: nobody there would do what it asks for. */
  readonly isOfCluster?: true;
  readonly columns: readonly PrinterColumn[];
}

/** The last of the columns of most kinds. */
export const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
