import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Requests whose sender waits for `100 Continue` before it sends the body, with their responses. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Has the server read the header of a request with `Expect: 100-continue` before it asks for the body: a sender without a good
 * header sends no body.
 */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    server.emit('request', request, response);
  });
}

/** Asks for the body of a request whose header is good, where its sender waits for that. */
export function continueReading(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response === undefined) return;
  waiting.delete(request);
  response.writeContinue();
}

/** Whether the sender of a request was not asked for its body, so that perhaps it never sends it. */
export function isHeldBack(request: IncomingMessage): boolean {
  return waiting.has(request);
}
