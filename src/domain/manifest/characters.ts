/** Characters that get into a manifest by copying it from a document, and that YAML reads as something else. */
import type { Finding } from './finding.ts';

export interface CleanText {
  readonly text: string;
  readonly findings: readonly Finding[];
}

interface CharacterRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly replacement: string;
  readonly message: string;
  readonly fix: string;
}

const RULES: readonly CharacterRule[] = [
  {
    rule: 'code-fence',
    pattern: /^\s*(?:```|~~~).*$/,
    replacement: '',
    message: 'is a mark of the document that the manifest was copied from',
    fix: 'remove the line',
  },
  {
    rule: 'unseen-character',
    pattern: /[\u200b-\u200d\u2060\ufeff\u00ad]/g,
    replacement: '',
    message: 'holds a character that cannot be seen',
    fix: 'remove it',
  },
  {
    rule: 'unusual-space',
    pattern: /[\u00a0\u2000-\u200a\u202f\u3000]/g,
    replacement: ' ',
    message: 'holds a space that is not the one of the keyboard, which YAML takes for a letter',
    fix: 'write a plain space',
  },
  {
    rule: 'tab',
    pattern: /^[ \t]*\t[ \t]*/,
    replacement: '',
    message: 'is indented with a tab; YAML allows only spaces',
    fix: 'indent with spaces',
  },
  {
    rule: 'typographic-quote',
    pattern: /[\u201c\u201d\u201e\u201f\u00ab\u00bb]/g,
    replacement: '"',
    message: 'holds typographic quotes, which YAML takes for letters of the value',
    fix: 'write plain quotes: "',
  },
  {
    rule: 'typographic-quote',
    pattern: /[\u2018\u2019\u201a\u201b]/g,
    replacement: "'",
    message: 'holds typographic quotes, which YAML takes for letters of the value',
    fix: "write plain quotes: '",
  },
  {
    rule: 'typographic-dash',
    pattern: /^(\s*)[\u2010-\u2015\u2022\u2212](?=\s)/,
    replacement: '$1-',
    message: 'begins with a typographic dash or bullet, which YAML takes for a letter',
    fix: 'write a plain dash: -',
  },
  {
    rule: 'typographic-dash',
    pattern: /(?<=(?:^|[\s[",]))[\u2013\u2014](?=\w)/g,
    replacement: '--',
    message: 'holds a typographic dash where two plain ones were',
    fix: 'write two dashes: --',
  },
];

/** Tabs stand at every eighth column, as terminals and kubectl's messages have them. */
const TAB_WIDTH = 8;

/** The text with plain characters; lines keep their numbers. */
export function cleanCharacters(text: string): CleanText {
  const findings: Finding[] = [];
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n');
  const clean = lines.map((line, index) => {
    // A comment may hold what it wants.
    if (/^\s*#/.test(line)) return line;
    return RULES.reduce((current, rule) => {
      const changed =
        rule.rule === 'tab' ? expandTabs(current, rule.pattern) : current.replace(rule.pattern, rule.replacement);
      if (changed !== current) findings.push(findingOf(rule, current, index));
      return changed;
    }, line);
  });
  return { text: clean.join('\n'), findings };
}

function expandTabs(line: string, indentation: RegExp): string {
  return line.replace(indentation, (found) => {
    let column = 0;
    for (const character of found)
      column = character === '\t' ? (Math.floor(column / TAB_WIDTH) + 1) * TAB_WIDTH : column + 1;
    return ' '.repeat(column);
  });
}

function findingOf({ rule, pattern, message, fix }: CharacterRule, line: string, index: number): Finding {
  const at = line.search(new RegExp(pattern.source));
  return {
    rule,
    severity: 'error',
    message: `the line ${message}`,
    fix,
    line: index + 1,
    column: at + 1,
    isFixed: true,
  };
}
