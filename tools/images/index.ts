/** `node tools/images/index.ts`: makes the two images of the bundle in dist/, and says where they are. */
import { buildImage } from './build.ts';
import { IMAGE_ROLES } from './images.ts';

for (const role of IMAGE_ROLES) console.log(await buildImage(role, (line) => console.error(line)));
