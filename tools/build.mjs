/**
 * Bundles src/main/cli.ts into dist/: main.mjs plus one chunk per lazily imported part.
 *
 * Plain JavaScript, because it also runs before anything is checked and when an older Node starts it.
 * Every file is written beside its place and renamed, and chunks of an earlier build stay for a day: a controller or an
 * agent that is running from dist/ while someone builds still finds the chunk it imports next.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const KEEP_OLD_CHUNKS_MS = 24 * 60 * 60 * 1000;

/** Packages written for CommonJS call require() for Node's own modules; an ES module has none of its own. */
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);";

/**
 * zod brings its messages in fifty languages, and its one big object keeps a bundler from leaving out what nobody uses: 360 KiB
 * of source, and 3 MiB of the memory of every process. English is what is spoken here.
 */
const ENGLISH_ZOD = {
  name: 'english-zod',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * @param {{ entry?: string, outDir?: string, isQuiet?: boolean }} [options] paths relative to the project's folder
 * @returns {Promise<{ files: number, bytes: number }>} what was written
 */
export async function build(options = {}) {
  const outDir = join(ROOT, options.outDir ?? 'dist');
  const result = await esbuild({
    absWorkingDir: ROOT,
    entryPoints: [{ in: options.entry ?? 'src/main/cli.ts', out: 'main' }],
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    plugins: [ENGLISH_ZOD],
    sourcemap: 'linked',
    legalComments: 'linked',
    logLevel: 'error',
    write: false,
  });
  let bytes = 0;
  // Chunks first and main.mjs last, so that no main.mjs ever names a chunk that is not there yet.
  const files = result.outputFiles.toSorted((a, b) => rank(a.path) - rank(b.path));
  for (const file of files) {
    await replaceFile(file.path, file.contents);
    bytes += file.contents.length;
  }
  await removeOldChunks(join(outDir, 'chunks'), new Set(files.map((file) => basename(file.path))));
  if (options.isQuiet !== true) {
    console.log(`built ${relative(ROOT, outDir)}/main.mjs: ${files.length} files, ${Math.round(bytes / 1024)} KiB`);
  }
  return { files: files.length, bytes };
}

function rank(path) {
  return basename(path) === 'main.mjs' ? 1 : 0;
}

async function replaceFile(path, contents) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}

async function removeOldChunks(folder, current) {
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return []; // a bundle without lazy imports has no chunks
    throw error;
  });
  for (const name of names) {
    if (current.has(name)) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined); // another build may have removed it just now
    if (info !== undefined && Date.now() - info.mtimeMs > KEEP_OLD_CHUNKS_MS) await rm(path, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({ isQuiet: process.argv.includes('--quiet') });
}
