/** checkEncryption: talks from this node to the daemons and bricks of the others both ways, as proof. */
import type { SpokenPort } from '../../../schemas/spoken-port.ts';
import type { TaskRunner } from './task-runner.ts';

export const checkEncryption: TaskRunner = {
  run: async ({ deps, signal }) => {
    const { doctor, encryption } = deps;
    const { endpoints, blind } = await doctor.examine({ pools: [] }, signal);
    const ports: SpokenPort[] = await Promise.all(
      endpoints.map(async ({ node, port, serves }) => ({
        node,
        port,
        serves,
        ...(await encryption.look({ host: node, port }, signal)),
      })),
    );
    const message = `talked to ${ports.length} ports`;
    return { part: { state: 'Succeeded', message, progress: 100, result: { ports, blind } } };
  },
};
