/** Finds in the documentation what can be checked: links to files, and command lines of holdfast. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';

export interface DocFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** Every page for people. */
export function readDocs(): readonly DocFile[] {
  const patterns = ['*.md', 'docs/**/*.md', 'src/**/*.md', 'deploy/**/*.md', 'examples/**/*.md'];
  const paths = globSync(patterns, { cwd: ROOT }).toSorted();
  return paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** Targets of links that are no web addresses: a path relative to the page, and perhaps a heading. */
export function relativeLinks(text: string): readonly { readonly path: string; readonly heading?: string }[] {
  const links: { path: string; heading?: string }[] = [];
  for (const [, target = ''] of withoutCodeBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', heading] = target.split('#');
    links.push(heading === undefined ? { path } : { path, heading });
  }
  return links;
}

/** Headings of a page as links name them. */
export function headings(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, heading = ''] of withoutCodeBlocks(text).matchAll(/^#+ (.+)$/gm)) {
    names.add(
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
  }
  return names;
}

/** The words of each command line that begins with `holdfast`: in code blocks (but pictures, marked as text), and in sentences. */
export function holdfastCommands(text: string): readonly (readonly string[])[] {
  const commands: string[] = [];
  for (const [, block = ''] of text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```/gm)) commands.push(...block.split('\n'));
  for (const [, code = ''] of withoutCodeBlocks(text).matchAll(/`([^`\n]+)`/g)) commands.push(code);
  return commands
    .map((line) => line.replace(/^(?:\$|#|sudo) /, '').trim())
    .filter((line) => /^holdfast [a-z]/.test(line))
    .map((line) => line.split(/\s+/).slice(1));
}

function withoutCodeBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}
