export { addQueueJobs } from './add-queue-jobs.ts';
export { addCanaryAge } from './add-canary-age.ts';
export { createLogger, type LoggerOptions } from './create-logger.ts';
export { addCounter, addGauge, createRegistry, type ReadMetric } from './create-registry.ts';
export type { Logger } from 'pino';
export { readSecret, SecretFileError } from './secret-file.ts';
export { stopOnRequest } from './stop-on-request.ts';
export { port, processVariables, readVariables, wholeNumber, type ReadVariables } from './variables.ts';
export { printable } from './printable.ts';
