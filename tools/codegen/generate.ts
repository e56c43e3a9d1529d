/** Generated code, from the .proto files here by buf and ts-proto, both from node_modules: nothing is fetched. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool } from '../project.ts';

const FOLDER = join(ROOT, 'tools/codegen');
const TIMEOUT_MS = 120_000;

/**
 * Writes src/gen, or the same into another folder.
 *
 * @param folder - absolute path; what is in it already stays
 * @throws {Error} with what buf said
 */
export async function generate(folder: string): Promise<void> {
  const args = ['generate', '--output', folder, '--template', join(FOLDER, 'buf.gen.yaml'), FOLDER];
  const result = await runTool({ file: 'buf', args, timeoutMs: TIMEOUT_MS, output: 'capture', cwd: FOLDER });
  if (result.code !== 0) throw new Error(`buf generate ended with ${result.code}: ${result.output}`);
  // Only the options of csi.proto's own fields use it; the messages do not, and it is longer than all the rest.
  rmSync(join(folder, 'google/protobuf/descriptor.ts'), { force: true });
}
