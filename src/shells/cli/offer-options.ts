/** How a volume is offered to claims, on the command line: in the words of Kismatic. */
import { type Command, Option } from 'commander';
import { AppError } from '../../domain/errors.ts';
import {
  ACCESS_MODES,
  DEFAULT_STORAGE_CLASS,
  RECLAIM_POLICIES,
  type Registration,
  readRegistration,
} from '../../domain/volume/persistent-volume.ts';

/** What {@link addOfferOptions} reads. */
export interface OfferOptions {
  readonly storageClass: string;
  readonly accessModes: string;
  readonly reclaimPolicy: string;
}

/** Adds the options to a command. */
export function addOfferOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-c, --storage-class <name>', 'storage class of the PersistentVolume')
        .argParser(afterEquals)
        .default(DEFAULT_STORAGE_CLASS),
    )
    .option('--access-modes <modes>', `comma-separated: ${ACCESS_MODES.join(', ')}`, 'ReadWriteMany')
    .option('--reclaim-policy <policy>', RECLAIM_POLICIES.join(', '), 'Retain');
}

/** @throws {AppError} invalid, in Kismatic's sentences */
export function readOffer({ storageClass, accessModes, reclaimPolicy }: OfferOptions): Registration {
  const reading = readRegistration({ storageClass, reclaimPolicy, accessModes: accessModes.split(',') });
  if (reading.ok) return reading.registration;
  throw new AppError('invalid', `${reading.faults.join('; ')}; nothing was created`, { reason: 'InvalidRegistration' });
}

/** Kismatic's users also write -c="durable" and -r=2. */
export function afterEquals(text: string): string {
  return text.startsWith('=') ? text.slice(1) : text;
}
