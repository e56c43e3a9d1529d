/** Reads what `oxlint --format json` prints. */

export interface LintFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** As in .oxlintrc.json: "own/layers", "max-lines". */
  readonly rule: string;
  readonly message: string;
}

export interface LintReport {
  readonly faults: readonly LintFault[];
  readonly fileCount: number;
  readonly ruleCount: number;
}

interface OxlintDiagnostic {
  readonly message: string;
  /** "own(layers)", "eslint(max-lines)"; absent for a file that can't be parsed. */
  readonly code?: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number; readonly column: number } }[];
}

interface OxlintOutput {
  readonly diagnostics: readonly OxlintDiagnostic[];
  readonly number_of_files: number;
  readonly number_of_rules: number;
}

/** The report, or undefined when the output is not one: oxlint prints plain text when its configuration is wrong. */
export function readLintReport(output: string): LintReport | undefined {
  let parsed: OxlintOutput;
  try {
    parsed = JSON.parse(output) as OxlintOutput;
  } catch {
    return undefined; // the caller shows the text, which says what is wrong
  }
  return {
    faults: parsed.diagnostics.map(toFault),
    fileCount: parsed.number_of_files,
    ruleCount: parsed.number_of_rules,
  };
}

function toFault(diagnostic: OxlintDiagnostic): LintFault {
  const span = diagnostic.labels[0]?.span;
  const [plugin = '', rule = ''] = (diagnostic.code ?? 'parser(syntax)').replace(/\)$/, '').split('(');
  return {
    file: diagnostic.filename,
    line: span?.line ?? 1,
    column: span?.column ?? 1,
    rule: plugin === 'eslint' ? rule : `${plugin}/${rule}`,
    message: diagnostic.message,
  };
}

/** Lines for people: a line per fault, then what was looked at. */
export function describeLint(report: LintReport): readonly string[] {
  const faults = report.faults.map((each) => `${each.file}:${each.line}:${each.column} ${each.message} (${each.rule})`);
  return [...faults, `linted ${report.fileCount} files with ${report.ruleCount} rules`];
}
