/** Completion scripts for bash, zsh and fish, written out from the tree of commands: completing starts no program. */

/** One command with what can stand behind it. */
export interface CompletionNode {
  /** Words from the program's name on, without it: ["volume", "add"]. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  readonly children: readonly CompletionNode[];
  /** Words that an argument of the command may be. */
  readonly choices: readonly string[];
}

export interface CompletionOption {
  /** As typed: "--output", "-o". */
  readonly flags: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export type CompletionShell = 'bash' | 'zsh' | 'fish';

export const COMPLETION_SHELLS: readonly CompletionShell[] = ['bash', 'zsh', 'fish'];

/** The script for one shell. */
export function completionScript(shell: CompletionShell, root: CompletionNode): string {
  const nodes = flatten(root);
  switch (shell) {
    case 'bash':
      return bashScript(nodes);
    case 'zsh':
      return zshScript(nodes);
    case 'fish':
      return fishScript(nodes);
  }
}

function flatten(node: CompletionNode): readonly CompletionNode[] {
  return [node, ...node.children.flatMap(flatten)];
}

function pathOf(node: CompletionNode): string {
  return node.path.join(' ');
}

/** Options whose next word is their value, so that it is not taken for a command. */
function valueFlags(nodes: readonly CompletionNode[]): readonly string[] {
  const options = nodes.flatMap((node) => node.options).filter((option) => option.takesValue);
  return [...new Set(options.flatMap((option) => option.flags))].toSorted();
}

/** The function body that both bash and zsh understand: finds the command typed so far in $path. */
function walkLines(nodes: readonly CompletionNode[], words: string, last: string): readonly string[] {
  const paths = nodes.filter((node) => node.path.length > 0).map((node) => quote(pathOf(node)));
  return [
    '  local path="" word="" skip=""',
    `  for word in ${words}; do`,
    '    if [ -n "$skip" ]; then skip=""; continue; fi',
    '    case "$word" in',
    `      ${valueFlags(nodes).join('|')}) skip=1; continue ;;`,
    '      -*) continue ;;',
    '    esac',
    '    case "${path:+$path }$word" in',
    `      ${paths.join('|')}) path="\${path:+$path }$word" ;;`,
    '    esac',
    '  done',
    `  local last=${last}`,
  ];
}

function choiceCases(nodes: readonly CompletionNode[]): readonly (readonly [pattern: string, choices: string])[] {
  const options = nodes.flatMap((node) => node.options).filter((option) => option.choices.length > 0);
  const byFlags = new Map(options.map((option) => [option.flags.join('|'), option.choices.join(' ')]));
  return [...byFlags].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function bashScript(nodes: readonly CompletionNode[]): string {
  const lines = [
    '# bash completion for holdfast; load it with: source <(holdfast completion bash)',
    '_holdfast() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}"',
    ...walkLines(nodes, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"', '"${COMP_WORDS[COMP_CWORD-1]}"'),
    '  local words=""',
    '  case "$last" in',
    ...choiceCases(nodes).map(([flags, choices]) => `    ${flags}) words=${quote(choices)} ;;`),
    '    *) case "$path" in',
    ...nodes.map((node) => `      ${quote(pathOf(node))}) words=${quote(wordsAfter(node).join(' '))} ;;`),
    '    esac ;;',
    '  esac',
    '  case "$last" in -f|--file|--kubeconfig) words="" ;; esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _holdfast holdfast',
  ];
  return `${lines.join('\n')}\n`;
}

function zshScript(nodes: readonly CompletionNode[]): string {
  const describe = (node: CompletionNode) => [
    ...node.children.map((child) => quote(`${escapeColons(child.path.at(-1) ?? '')}:${child.summary}`)),
    ...node.choices.map(quote),
    ...node.options.flatMap((option) => option.flags.map((flag) => quote(`${flag}:${option.summary}`))),
  ];
  const lines = [
    '#compdef holdfast',
    '# zsh completion for holdfast; load it with: source <(holdfast completion zsh)',
    '_holdfast() {',
    ...walkLines(nodes, '"${(@)words[2,CURRENT-1]}"', '"${words[CURRENT-1]}"').map((line) =>
      // In zsh the name path is tied to the search path of programs.
      line.replaceAll('$path', '$trail').replaceAll('path=', 'trail=').replaceAll('{path:', '{trail:'),
    ),
    '  local -a found',
    '  case "$last" in',
    ...choiceCases(nodes).map(([flags, choices]) => `    ${flags}) compadd -- ${choices}; return ;;`),
    '    -f|--file|--kubeconfig) _files; return ;;',
    '  esac',
    '  case "$trail" in',
    ...nodes.map((node) => `    ${quote(pathOf(node))}) found=(${describe(node).join(' ')}) ;;`),
    '  esac',
    '  _describe holdfast found',
    '}',
    'if [ "$funcstack[1]" = "_holdfast" ]; then _holdfast "$@"; else compdef _holdfast holdfast; fi',
  ];
  return `${lines.join('\n')}\n`;
}

function fishScript(nodes: readonly CompletionNode[]): string {
  const values = valueFlags(nodes);
  const lines = [
    '# fish completion for holdfast; load it with: holdfast completion fish | source',
    'function __holdfast_at',
    '  set -l trail',
    '  set -l skip 0',
    '  for word in (commandline -opc)[2..]',
    '    if test $skip = 1; set skip 0; continue; end',
    `    if contains -- $word ${values.join(' ')}; set skip 1; continue; end`,
    "    if string match -q -- '-*' $word; continue; end",
    `    if contains -- "$(string join ' ' $trail $word)" ${nodes
      .filter((node) => node.path.length > 0)
      .map((node) => quote(pathOf(node)))
      .join(' ')}`,
    '      set -a trail $word',
    '    end',
    '  end',
    '  test "$(string join \' \' $trail)" = "$argv"',
    'end',
    'complete -c holdfast -f',
    ...nodes.flatMap(fishLines),
  ];
  return `${lines.join('\n')}\n`;
}

function fishLines(node: CompletionNode): readonly string[] {
  const at = `complete -c holdfast -n ${quote(`__holdfast_at ${pathOf(node)}`.trim())}`;
  return [
    ...node.children.map((child) => `${at} -a ${child.path.at(-1)} -d ${quote(child.summary)}`),
    ...(node.choices.length > 0 ? [`${at} -a ${quote(node.choices.join(' '))}`] : []),
    ...node.options.map((option) => {
      const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const choices = option.choices.length > 0 ? ` -x -a ${quote(option.choices.join(' '))}` : '';
      const files = option.takesValue && option.choices.length === 0 ? ' -r -F' : '';
      return `${at} ${flags.join(' ')}${choices}${files} -d ${quote(option.summary)}`;
    }),
  ];
}

function wordsAfter(node: CompletionNode): readonly string[] {
  const verbs = node.children.map((child) => child.path.at(-1) ?? '');
  return [...verbs, ...node.choices, ...node.options.flatMap((option) => option.flags)];
}

function escapeColons(text: string): string {
  return text.replaceAll(':', '\\:');
}

/** In single quotes, which all three shells read alike but for the quote itself; summaries have their quotes replaced. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
