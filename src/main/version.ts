/** The version that is running, for --version, status and user agents. */
import packageJson from '../../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;
