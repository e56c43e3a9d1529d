/**
 * What Holdfast costs on the data path: its volume beside the same GlusterFS volume made by hand, on the same hosts. A second
 * volume made by hand is the control: how far its ratio is from 1 is what this measurement cannot tell.
 */
import { createApt } from '../src/adapters/packages/apt.ts';
import { BENCH_PROGRAMS } from '../src/domain/needed-programs.ts';
import { bringUpHoldfast } from '../src/usecases/lab/bring-up-holdfast.ts';
import { installMissing } from '../src/usecases/lab/install-missing.ts';
import type { Lab } from '../src/usecases/lab/labs.ts';
import type { Measurement } from './index.ts';
import { HOSTS, median, mountExample, withLabs } from './lab/bench-lab.ts';
import { makeVolumeByHand, type } from './lab/by-hand.ts';

const MOUNTS = ['/data', '/hand', '/control'] as const;
type Mount = (typeof MOUNTS)[number];
/** Each lab's volumes lie elsewhere on the disk, which alone makes one 3 % faster or slower than its twin for as long as it is there. */
const LABS = 3;
/** In each lab. Odd, so that the median is one that was measured, and a multiple of the mounts. */
const ROUNDS = 21;
const SECONDS = 1;
const { signal } = new AbortController();

const JOBS = {
  '4k random write, fsync each': ['--rw=randwrite', '--bs=4k', '--fsync=1', '--size=64M'],
  '1M sequential write': ['--rw=write', '--bs=1M', '--end_fsync=1', '--size=128M'],
  '4k random read, direct': ['--rw=randread', '--bs=4k', '--direct=1', '--size=64M'],
} as const;

type Round = Readonly<Record<Mount, number>>;
type Job = keyof typeof JOBS;

export async function run(): Promise<readonly Measurement[]> {
  const rounds: Record<Job, Round[]> = {
    '4k random write, fsync each': [],
    '1M sequential write': [],
    '4k random read, direct': [],
  };
  for (let lab = 0; lab < LABS; lab += 1) {
    const measured = await measureInOneLab();
    for (const job of jobNames()) rounds[job].push(...measured[job]);
  }
  return jobNames().flatMap((job) => compare(job, rounds[job]));
}

function jobNames(): readonly Job[] {
  return Object.keys(JOBS) as Job[];
}

async function measureInOneLab(): Promise<Readonly<Record<Job, readonly Round[]>>> {
  return withLabs(async (deps) => {
    const { machine } = deps;
    const packages = createApt({ host: machine, processes: machine.processes, userId: process.getuid?.() ?? -1 });
    await installMissing({ packages }, BENCH_PROGRAMS, { say: (line) => console.log(`  ${line}`) });
    const world = await bringUpHoldfast(deps, { name: 'bench', hosts: HOSTS }, signal);
    await mountExample(deps, world);
    const options = await optionsOf(world.lab);
    for (const name of ['hand', 'control']) {
      const place = { pool: '/mnt/glusterVolume0', mountPath: `/${name}` };
      await makeVolumeByHand(world.lab, { name, ...place, imageBytes: 1149 * 2 ** 20, options });
    }
    return {
      '4k random write, fsync each': await measureRounds(world.lab, '4k random write, fsync each'),
      '1M sequential write': await measureRounds(world.lab, '1M sequential write'),
      '4k random read, direct': await measureRounds(world.lab, '4k random read, direct'),
    };
  });
}

/** The options of the product's volume, so that both volumes have the same. */
async function optionsOf(lab: Lab): Promise<Record<string, string>> {
  const info = await type(lab, 'kube1', 'gluster', '--mode=script', 'volume', 'info', 'gv0');
  const set = info.slice(info.indexOf('Options Reconfigured:')).split('\n').slice(1);
  return Object.fromEntries(set.flatMap((line) => (line.includes(': ') ? [line.split(': ') as [string, string]] : [])));
}

/** Alternates between the volumes, so that what else the machine does hits all alike. */
async function measureRounds(lab: Lab, job: Job): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const results: Record<Mount, number> = { '/data': 0, '/hand': 0, '/control': 0 };
    // Each goes first, second and third equally often.
    for (let turn = 0; turn < MOUNTS.length; turn += 1) {
      const mount = MOUNTS[(round + turn) % MOUNTS.length] ?? '/data';
      results[mount] = await measure(lab, mount, JOBS[job]);
    }
    rounds.push(results);
  }
  return rounds;
}

function compare(what: Job, rounds: readonly Round[]): readonly Measurement[] {
  return [
    { what: `${what}: Holdfast`, value: median(rounds.map((round) => round['/data'])), unit: 'MiB/s' },
    { what: `${what}: by hand`, value: median(rounds.map((round) => round['/hand'])), unit: 'MiB/s' },
    ...compareTo(rounds, `${what}: Holdfast to by hand`, '/data', '0.97 to 1.03'),
    ...compareTo(rounds, `${what}: control to by hand`, '/control'),
  ];
}

function compareTo(rounds: readonly Round[], what: string, mount: Mount, budget?: string): readonly Measurement[] {
  const ratios = rounds.map((round) => round[mount] / round['/hand']);
  const [low, high] = medianInterval(ratios);
  return [
    { what, value: median(ratios), unit: 'x', ...(budget === undefined ? {} : { budget }) },
    { what: `${what}, 95 % sure it is above`, value: low, unit: 'x' },
    { what: `${what}, 95 % sure it is below`, value: high, unit: 'x' },
  ];
}

/**
 * Bounds of the median without a guess about the distribution: half of all pairs lie below it, so how many of the measured
 * ones do is binomial; normal approximation of that, good from ten pairs on.
 */
function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const away = Math.ceil((1.96 * Math.sqrt(sorted.length)) / 2);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return [at(Math.floor(sorted.length / 2) - away), at(Math.floor(sorted.length / 2) + away)];
}

async function measure(lab: Lab, mount: string, job: readonly string[]): Promise<number> {
  const common = [
    '--name=bench',
    `--directory=${mount}`,
    `--runtime=${SECONDS}`,
    '--time_based',
    '--output-format=json',
  ];
  const text = await type(lab, 'kube1', 'fio', ...common, ...job);
  const report = JSON.parse(text.slice(text.indexOf('{'))) as {
    jobs: { read: { bw_bytes: number }; write: { bw_bytes: number } }[];
  };
  const [first] = report.jobs;
  return ((first?.read.bw_bytes ?? 0) + (first?.write.bw_bytes ?? 0)) / 2 ** 20;
}
