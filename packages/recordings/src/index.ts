export { createMover, type Mover, type MoverStats } from './move/mover.ts';
export { SpoolError } from './spool/errors.ts';
export type { BodyWriter } from './spool/body-writer.ts';
export type { BodyFacts } from './spool/footer.ts';
export { createSpool, type Spool, type SpoolStats } from './spool/spool.ts';
export type { SpooledBody } from './spool/spooled-body.ts';
export { recordingVariables } from './variables.ts';
export { openStorage } from './storage/storage.ts';
export { listSpool, verifySpoolFile, type SpoolFile } from './spool/inspect-spool.ts';
