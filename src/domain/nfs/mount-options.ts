/** Options of mount.nfs(8) that a volume may have. */

interface Known {
  readonly value: RegExp;
  /** For people: "3, 4, 4.0, 4.1 or 4.2". */
  readonly words: string;
}

const count = (digits: number): Known => ({ value: new RegExp(`^[1-9]\\d{0,${digits - 1}}$`), words: 'a number' });
const version: Known = { value: /^(?:3|4|4\.[012])$/, words: '3, 4, 4.0, 4.1 or 4.2' };

/** Not `soft`: with it a write that a slow server did not answer in time is lost, and the program is rarely told. */
const FLAGS: ReadonlySet<string> = new Set(
  ['hard', 'noatime', 'nodiratime', 'relatime', 'noexec', 'nosuid', 'nodev'].concat([
    ...['nolock', 'noac', 'nocto', 'noacl', 'noresvport'],
  ]),
);

const VALUES: ReadonlyMap<string, Known> = new Map([
  ['nfsvers', version],
  ['vers', version],
  ['proto', { value: /^tcp6?$/, words: 'tcp or tcp6' }],
  ['sec', { value: /^(?:sys|krb5[ip]?)$/, words: 'sys, krb5, krb5i or krb5p' }],
  ['lookupcache', { value: /^(?:all|none|pos|positive)$/, words: 'all, none or positive' }],
  ['nconnect', { value: /^(?:[1-9]|1[0-6])$/, words: 'a number from 1 to 16' }],
  ['port', count(5)],
  ['timeo', count(5)],
  ['retrans', count(3)],
  ['rsize', count(8)],
  ['wsize', count(8)],
  ...['actimeo', 'acregmin', 'acregmax', 'acdirmin', 'acdirmax'].map((name): [string, Known] => [
    name,
    { value: /^\d{1,5}$/, words: 'a number of seconds' },
  ]),
]);

/** Why mount options are refused, one sentence each; empty when they are in order. */
export function nfsOptionFaults(options: readonly string[]): readonly string[] {
  const names = options.map(nameOf);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [
    ...options.flatMap((option) => optionFault(option) ?? []),
    ...[...new Set(twice)].map((name) => `mount option ${shown(name)} is said twice`),
  ];
}

/** True for an option that is the business of mount.nfs, and of no bind mount of it. */
export function isNfsOnly(option: string): boolean {
  const name = option.split('=', 1)[0] ?? '';
  return VALUES.has(name) || ['hard', 'nolock', 'noac', 'nocto', 'noacl', 'noresvport'].includes(option);
}

function optionFault(option: string): string | undefined {
  if (FLAGS.has(option)) return undefined;
  const at = option.indexOf('=');
  const known = at < 0 ? undefined : VALUES.get(option.slice(0, at));
  if (known?.value.test(option.slice(at + 1)) === true) return undefined;
  if (known !== undefined) return `mount option ${shown(option)}: ${option.slice(0, at)} must be ${known.words}`;
  if (option === 'soft' || option === 'softerr') {
    return `mount option ${option} is not allowed: a write that the server does not answer in time would be lost`;
  }
  return `mount option ${shown(option)} is not allowed; allowed are ${[...FLAGS, ...[...VALUES.keys()].map((name) => `${name}=`)].join(', ')}`;
}

function nameOf(option: string): string {
  const name = option.split('=', 1)[0] ?? '';
  return name === 'vers' ? 'nfsvers' : name;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
