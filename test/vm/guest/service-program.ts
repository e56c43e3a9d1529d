/** A service with a process of its own that others use, as an agent has those of its mounts; it writes down who it is. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

const [, , file = '', ...words] = process.argv;
const child = spawn('sleep', ['infinity'], { stdio: 'ignore' });
appendFileSync(file, `${JSON.stringify({ pid: process.pid, child: child.pid, words })}\n`);
setInterval(() => undefined, 60_000);
