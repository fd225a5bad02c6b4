export { createMover, type Mover } from './move/mover.ts';
export type { BodyWriter } from './spool/body-writer.ts';
export { SpoolError } from './spool/errors.ts';
export { listSpool, verifySpoolFile, type SpoolFile } from './spool/inspect-spool.ts';
export { createSpool, type Spool } from './spool/spool.ts';
export type { SpooledBody } from './spool/spooled-body.ts';
export { openStorage } from './storage/open-storage.ts';
export { recordingVariables } from './variables.ts';
export { splitBody } from './split/split-body.ts';
