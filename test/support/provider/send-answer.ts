import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './answers.ts';
import { printJson } from './print-json.ts';

const PIECE = 1024;

/** Sends an answer in its manner: JSON with its length, other bytes in pieces without one, as the provider sends audio. */
export async function sendAnswer(
  response: ServerResponse,
  { status, headers, body, bytes, manner }: Answer,
): Promise<void> {
  const whole = bytes ?? Buffer.from(printJson(body));
  response.writeHead(status, {
    ...(bytes === undefined && { 'content-type': 'application/json', 'content-length': whole.length }),
    ...headers,
  });
  if (manner?.kind === 'slow') await delay(manner.pauseMs);
  const isHalf = manner?.kind === 'cut' || manner?.kind === 'stalled';
  const sent = isHalf ? whole.subarray(0, Math.ceil(whole.length / 2)) : whole;
  for (let at = 0; at < sent.length; at += PIECE) response.write(sent.subarray(at, at + PIECE));
  if (manner?.kind === 'cut') response.write('', () => response.destroy());
  else if (manner?.kind !== 'stalled') response.end();
}
