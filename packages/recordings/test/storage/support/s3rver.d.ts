declare module 's3rver' {
  import type { Server } from 'node:http';
  import type { Readable } from 'node:stream';

  /** An object, with its content on the way. */
  export interface UploadedObject {
    content: Readable;
  }

  /** A server that speaks S3 and keeps objects in a folder. It takes no conditions: `If-None-Match` is ignored. */
  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      silent: boolean;
      directory: string;
      configureBuckets: { name: string }[];
    });
    run(): Promise<{ port: number }>;
    readonly httpServer: Server;
    readonly store: { putObject: (object: UploadedObject) => Promise<unknown> };
  }
}
