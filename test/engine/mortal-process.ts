/**
 * Loaded into an agent or a controller by `node --import`: the process dies by SIGKILL at a step that a test chooses, and
 * tells each step. The product knows nothing of it.
 *
 * A step is a command that changes something, or a write to the state file (but heartbeats and Events). In the folder that
 * HOLDFAST_TEST_STEPS names, `steps` gets a line for each, and `death` is read at each: {@link Death}, renamed to `died`
 * before the process dies.
 */
import childProcess from 'node:child_process';
import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** At the `nth` step whose line holds `text`, counted from the moment that this was written. */
export interface Death {
  readonly text: string;
  readonly nth: number;
  /** before: the step is not taken; amid: its command is started, and goes on without who started it; after: it is done. */
  readonly when: 'before' | 'amid' | 'after';
}

const FOLDER = process.env['HOLDFAST_TEST_STEPS'] ?? '/run';
const DEATH = join(FOLDER, 'death');
/** Commands that only look. */
const LOOKS =
  /^(?:blkid|find|findmnt|getent|getfattr|hostname|losetup --(?:list|json)|pgrep|readlink|realpath|stat|sha256sum|sync)\b|\b(?:info|status|list|get|statistics|system::)\b| (?:--version|-V)$|^xfs_growfs -n\b/;
const WRITE = /^(?<verb>INSERT INTO|UPDATE|DELETE FROM) objects\b/;
const UNCOUNTED = /\b(?:leases|events)\b/;

let seen = 0;
let counted = '';

/** Tells the step, and when it is fatal if it is. */
function begin(line: string): Death['when'] | undefined {
  appendFileSync(join(FOLDER, 'steps'), `${line}\n`);
  const written = read();
  if (written !== counted) seen = 0;
  counted = written;
  if (written === '') return undefined;
  const death = JSON.parse(written) as Death;
  if (!line.includes(death.text)) return undefined;
  seen += 1;
  return seen === death.nth ? death.when : undefined;
}

function read(): string {
  try {
    return readFileSync(DEATH, 'utf8');
  } catch {
    return ''; // nobody is to die
  }
}

function die(): void {
  try {
    renameSync(DEATH, join(FOLDER, 'died'));
  } catch {
    return; // it was taken back in this moment
  }
  process.kill(process.pid, 'SIGKILL');
}

const { spawn } = childProcess;
childProcess.spawn = ((file: string, args: readonly string[], options: childProcess.SpawnOptions) => {
  const line = [file, ...args.filter((arg) => arg !== '--mode=script' && arg !== '--xml')].join(' ');
  const when = LOOKS.test(line) ? undefined : begin(line);
  if (when === 'before') die();
  const child = spawn(file, args, options);
  if (when === 'amid') die();
  if (when === 'after') child.once('exit', die);
  return child;
}) as typeof spawn;
syncBuiltinESMExports();

let isFatal = false;
const { prepare, exec } = DatabaseSync.prototype;
DatabaseSync.prototype.prepare = function prepareMortal(this: DatabaseSync, sql: string): StatementSync {
  const statement = prepare.call(this, sql);
  const verb = WRITE.exec(sql)?.groups?.['verb'];
  if (verb === undefined) return statement;
  const { run } = statement;
  statement.run = ((...values: Parameters<StatementSync['run']>) => {
    const texts: readonly unknown[] = values;
    const names = texts.filter((text): text is string => typeof text === 'string' && text !== '' && text[0] !== '{');
    const line = `${verb} ${names.join(' ')}`;
    const when = UNCOUNTED.test(line) ? undefined : begin(line);
    if (when === 'before' || when === 'amid') die();
    isFatal ||= when === 'after';
    return run.apply(statement, values);
  }) as StatementSync['run'];
  return statement;
};
DatabaseSync.prototype.exec = function execMortal(this: DatabaseSync, sql: string): void {
  exec.call(this, sql);
  // What is written is written now, and nobody has been told.
  if (isFatal && sql === 'COMMIT') die();
};
