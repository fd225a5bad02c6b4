import { AbstractConnector, type RedisOptions } from 'ioredis';
import { connect, Socket } from 'node:net';
import { connect as connectByTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { FindMaster } from './find-master.ts';

/** ioredis' own type of a class that opens sockets. */
type Connector = NonNullable<RedisOptions['Connector']>;

/** What a connection to a master needs. */
export interface MasterConnectorOptions {
  findMaster: FindMaster;
  tls?: ConnectionOptions | undefined;
  disconnectTimeoutMs: number;
}

/**
 * Makes a class for ioredis' option `Connector`: each attempt to connect asks first where the master is.
 *
 * ioredis ends a connection for good when its connector rejects. So a search that fails gives a socket that is closed already, and ioredis
 * tries again after its pause, as with any other Redis.
 */
export function masterConnector({ findMaster, tls, disconnectTimeoutMs }: MasterConnectorOptions): Connector {
  return class MasterConnector extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs);
    }

    /** A master that was demoted between the search and now is searched for again. */
    override check(info: { role?: string }): boolean {
      return info.role === undefined || info.role === 'master';
    }

    override async connect(): Promise<Socket | TLSSocket> {
      this.connecting = true;
      try {
        const master = await findMaster();
        this.stream = this.connecting ? open(master, tls) : closedSocket();
        this.stream.once('error', (error) => (this.firstError = error));
      } catch (error) {
        this.firstError = error instanceof Error ? error : new Error(String(error));
        this.stream = closedSocket();
      }
      return this.stream;
    }
  };
}

function open({ host, port }: { host: string; port: number }, tls?: ConnectionOptions): Socket | TLSSocket {
  return tls === undefined ? connect({ host, port }) : connectByTls({ host, port, ...tls });
}

function closedSocket(): Socket {
  return new Socket().destroy();
}
