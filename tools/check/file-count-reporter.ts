/** A reporter for knip that says how many files it looked at, which its own reporters leave out. */

interface KnipReport {
  readonly counters: { readonly processed: number };
}

// oxlint-disable-next-line import/no-default-export -- knip loads a reporter by its default export
export default function reportFileCount(report: KnipReport): void {
  console.log(`looked at ${report.counters.processed} files`);
}
