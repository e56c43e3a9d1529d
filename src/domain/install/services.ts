/** What runs on an installed machine, and how systemd is told of it. */

export interface Service {
  /** "controller", "agent", "glusterd": the unit is holdfast-NAME. */
  readonly name: string;
  readonly description: string;
  readonly argv: readonly string[];
}

/** Name of its systemd unit. */
export function unitName({ name }: Pick<Service, 'name'>): string {
  return `holdfast-${name}.service`;
}

/**
 * The unit of a service.
 *
 * KillMode=process: the FUSE processes of mounts are in the agent's control group, and a restart of the agent must not
 * end them under the applications that use them.
 */
export function unitText(service: Service): string {
  return `# Written by holdfast install; changes in here are lost.
[Unit]
Description=${service.description}
Wants=network-online.target
After=network-online.target glusterd.service

[Service]
ExecStart=${service.argv.map(quoteForUnit).join(' ')}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=30
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.service(5) and systemd.unit(5): C-style escapes in quotes; % begins a specifier and $ a variable. */
function quoteForUnit(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll('\n', '\\n')}"`;
}
