/** Sizes of images, for tests of the engine. */
export { imageBytes } from '../../domain/volume/copy-size.ts';
