/** The project's own lint rules, as a plugin for oxlint. */
import { documentedExports } from './documented-exports.ts';
import { fileName } from './file-name.ts';
import { functionLines } from './function-lines.ts';
import { layers } from './layers.ts';
import { noAmbient } from './no-ambient.ts';
import { noShell } from './no-shell.ts';
import { noSleepInTests } from './no-sleep-in-tests.ts';
import { reasonedDisable } from './reasoned-disable.ts';
import { staticLogMessage } from './static-log-message.ts';

// oxlint-disable-next-line import/no-default-export -- oxlint loads a plugin by its default export
export default {
  meta: { name: 'own' },
  rules: {
    'documented-exports': documentedExports,
    'file-name': fileName,
    'function-lines': functionLines,
    layers,
    'no-ambient': noAmbient,
    'no-shell': noShell,
    'no-sleep-in-tests': noSleepInTests,
    'reasoned-disable': reasonedDisable,
    'static-log-message': staticLogMessage,
  },
};
