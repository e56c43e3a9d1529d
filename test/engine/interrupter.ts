/** A person at the real command line of a product whose agents and controller die by SIGKILL at steps that a test chooses. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { HostFiles } from '../../src/ports/host.ts';
import { LAB_PACKAGE_FOLDER } from '../../src/ports/lab.ts';
import { restartController } from '../../src/usecases/lab/bring-up-holdfast.ts';
import type { Death } from './mortal-process.ts';
import { PATIENCE_MS, type Product } from './product-fixture.ts';

export const CONTROLLER = 'controller';
const PROGRAM = 'test/engine/mortal-process.ts';
const FOLDER_IN_HOST = '/run';
const POLL_MS = 30;
/** Exit code of a command that did not find what it was to act on. */
const NOT_FOUND = 4;
/** A command may end a moment before what it has asked for is tidied up. */
const AFTERMATH_MS = 15_000;

/** The first of the victims that comes to the step dies there. */
export interface Doom {
  readonly victims: readonly string[];
  readonly death: Death;
}

export interface TypedCommand {
  readonly args: readonly string[];
  /** Typed again, it may also find that there is nothing of that name any more. */
  readonly isRemoval?: boolean;
  /** What it may say because somebody has just been started again, and what a person would wait for then. */
  readonly tooEarly?: { readonly answer: RegExp; readonly wait: () => Promise<unknown> };
}

export interface Interrupter {
  /**
   * Types a command, while one of the victims of each doom dies and is started again. What failed is typed again, until it
   * is done: a try in which nobody died must not fail.
   *
   * @returns how often it was typed
   */
  interrupt(dooms: readonly Doom[], command: TypedCommand): Promise<number>;
}

interface Place {
  readonly files: HostFiles;
  readonly folder: string;
}

/** Starts the agents and the controller of a product anew, as programs that can be told where to die. */
export async function createInterrupter(product: Product, hosts: readonly string[]): Promise<Interrupter> {
  const { lab, composed } = product;
  const { machine, clock } = composed;
  const folder = join(product.folder, 'steps');
  await machine.files.makeDirectory(folder);
  const places = new Map<string, Place>([
    [CONTROLLER, { files: machine.files, folder }],
    ...hosts.map((host) => [host, { files: lab.host(host).files, folder: FOLDER_IN_HOST }] as const),
  ]);
  const placeOf = (who: string): Place => {
    const place = places.get(who);
    if (place === undefined) throw new Error(`there is no ${who}`);
    return place;
  };
  const has = async ({ files, folder: at }: Place, name: 'died' | 'steps') =>
    (await files.stat(join(at, name))) !== undefined;
  const start = (who: string) =>
    who === CONTROLLER ? startMortalController(product, folder) : product.startAgent(who);
  const stop = (who: string) => (who === CONTROLLER ? product.killController() : product.killAgent(who));
  const { bootActions } = await lab.record();
  for (const action of bootActions) {
    if (action.kind !== 'daemon' || action.name !== 'agent') continue;
    await lab.addBootAction({ ...action, env: envOf(LAB_PACKAGE_FOLDER, FOLDER_IN_HOST) });
  }
  for (const who of places.keys()) {
    await stop(who);
    await start(who);
  }

  const lift = async ({ victims }: Doom): Promise<void> => {
    for (const who of victims) await placeOf(who).files.remove(join(placeOf(who).folder, 'death'));
  };
  /** Whether somebody has died of it; then nobody else does, and who is dead is started again. */
  const isFulfilled = async (of: Doom): Promise<boolean> => {
    const died = await Promise.all(of.victims.map((who) => has(placeOf(who), 'died')));
    if (!died.includes(true)) return false;
    await lift(of);
    for (const who of of.victims) {
      const place = placeOf(who);
      if (!(await has(place, 'died'))) continue;
      await place.files.remove(join(place.folder, 'died'));
      await stop(who);
      await start(who);
    }
    return true;
  };
  /** Lines of the steps that were taken since this was asked last. */
  const steps = async (who: string): Promise<string> => {
    const place = placeOf(who);
    if (!(await has(place, 'steps'))) return '';
    const text = await place.files.readText(join(place.folder, 'steps'));
    await place.files.remove(join(place.folder, 'steps'));
    return text.replaceAll(/^/gm, `${who}: `);
  };
  const describeMissed = async (missed: readonly Doom[], line: string): Promise<string> => {
    const taken = await Promise.all(missed.flatMap(({ victims }) => victims.map(steps)));
    const deaths = missed.map(({ death }) => JSON.stringify(death)).join(', ');
    return `nobody came to ${deaths} in ${line}; these steps were taken:\n${taken.join('')}`;
  };
  const doom = async ({ victims, death }: Doom): Promise<void> => {
    for (const who of victims) {
      await steps(who);
      await placeOf(who).files.writeText(join(placeOf(who).folder, 'death'), JSON.stringify(death));
    }
  };
  const stillDoomed = async (dooms: readonly Doom[]): Promise<readonly Doom[]> => {
    const left: Doom[] = [];
    for (const each of dooms) if (!(await isFulfilled(each))) left.push(each);
    return left;
  };
  /** Types it once, and sees to the deaths meanwhile. */
  const typeOnce = async (dooms: readonly Doom[], args: readonly string[]) => {
    let left = dooms;
    let isOver = false;
    const asked = product.cli(...args).finally(() => void (isOver = true));
    while (!isOver) {
      left = await stillDoomed(left);
      if (!isOver) await clock.sleep(POLL_MS);
    }
    return { ...(await asked), left: await stillDoomed(left) };
  };
  const typeUntilDone = async (dooms: readonly Doom[], { args, isRemoval = false, tooEarly }: TypedCommand) => {
    let left = dooms;
    for (let tries = 1; ; ) {
      const before = left.length;
      const typed = await typeOnce(left, args);
      left = typed.left;
      if (typed.code === 0 || (isRemoval && tries > 1 && typed.code === NOT_FOUND)) return { left, tries };
      const isTooEarly = tooEarly?.answer.test(typed.stderr) === true;
      expect(isTooEarly || left.length < before, `${args.join(' ')}, and nobody died: ${typed.stderr}`).toBe(true);
      if (isTooEarly) await tooEarly?.wait();
      else tries += 1;
    }
  };
  return {
    interrupt: async (dooms, command) => {
      for (const each of dooms) await doom(each);
      const done = await typeUntilDone(dooms, command);
      let { left } = done;
      for (const deadline = clock.monotonic() + AFTERMATH_MS; left.length > 0 && clock.monotonic() < deadline; ) {
        await clock.sleep(POLL_MS);
        left = await stillDoomed(left);
      }
      for (const each of left) await lift(each);
      left = await stillDoomed(left);
      // A verb that no longer comes to the step would be tested without any death.
      if (left.length > 0) throw new Error(await describeMissed(left, command.args.join(' ')));
      return done.tries;
    },
  };
}

function envOf(packageFolder: string, steps: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=file://${packageFolder}/${PROGRAM}`, HOLDFAST_TEST_STEPS: steps };
}

/** Nobody repeats a command before there is somebody to hear it. */
async function startMortalController(product: Product, folder: string): Promise<void> {
  const { lab, composed, server } = product;
  const env = envOf(composed.installation.packageFolder, folder);
  const startMachineDaemon: typeof lab.startMachineDaemon = (daemon) => lab.startMachineDaemon({ ...daemon, env });
  await restartController(composed, { ...lab, startMachineDaemon }, server);
  try {
    await product.until('StorageCluster', 'default', () => true);
  } catch (error) {
    const log = await composed.machine.files.readText(lab.logOfMachineDaemon(CONTROLLER));
    const message = `the controller does not come back in ${PATIENCE_MS} ms; its log ends with: ${log.slice(-2_000)}`;
    throw new Error(message, { cause: error });
  }
}
