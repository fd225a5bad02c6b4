import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const SERVERS = ['redis-server', 'valkey-server'];

/** Full path of the Redis server to test with: `redis-server`, else `valkey-server`. Throws where `searchPath` has neither. */
export function findRedisServer(searchPath: string): string {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  const found = SERVERS.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (found === undefined) {
    throw new Error(
      'These tests need redis-server or valkey-server on the PATH; `npm test` installs one where it can.',
    );
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
