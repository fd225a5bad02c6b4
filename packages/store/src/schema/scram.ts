import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** Rounds of the hash, as Postgres' own default. */
const ITERATIONS = 4096;

/**
 * Makes what Postgres keeps of a password (RFC 5803). Sent in the password's place, the password itself is in no statement, and so in
 * no log of the server.
 *
 * @param password  In ASCII: other characters would have to be normalised as Postgres does.
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyOf = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const serverKey = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
