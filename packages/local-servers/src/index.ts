export { LocalServerError } from './errors.ts';
export { choosePort } from './machine/choose-port.ts';
export { canInstall, thisMachine, type Machine } from './machine/machine.ts';
export { removeLeftPolicy } from './machine/service-policy.ts';
export { startPostgres } from './postgres/start-postgres.ts';
export { isRunning } from './processes/is-running.ts';
export { isServerOf } from './processes/process-identity.ts';
export type { RunningProcess, Service } from './processes/running-process.ts';
export {
  describeExit,
  startProcess,
  type Exit,
  type ProcessOptions,
  type StartedProcess,
} from './processes/start-process.ts';
export { stopProcess, type StopStep } from './processes/stop-process.ts';
export { findRedisServer } from './redis/find-redis-server.ts';
export { startRedis } from './redis/start-redis.ts';
export { keepSecret, makeSecret, readKeptSecret } from './secret-file.ts';
