import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import type { Subject } from './subject.ts';

/**
 * The cost of a hash: 32 MiB and some tenths of a second. There are so few telephone numbers that a fast hash of one tells the number: all of a
 * country's can be tried in a second. With this one it takes a processor years, and the salt makes each hash a search of its own. A key would be as
 * good only where it lies elsewhere than the table, and then it is one more secret to lose.
 */
const COST = { logN: 15, r: 8, p: 3 } as const;

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Returns the hash by which an erasure is known afterwards, in the form of PHC strings: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`. Two hashes of one subject
 * differ; `isHashOf` compares.
 */
export async function hashSubject(subject: Subject): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(subject, salt);
  return `$scrypt$ln=${COST.logN},r=${COST.r},p=${COST.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Tells whether a hash of `hashSubject` is that of a subject. */
export async function isHashOf(subjectHash: string, subject: Subject): Promise<boolean> {
  const [, salt, hash] = /^\$scrypt\$ln=15,r=8,p=3\$([^$]+)\$([^$]+)$/.exec(subjectHash) ?? [];
  if (salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const found = await derive(subject, Buffer.from(salt, 'base64'));
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function derive({ by, value }: Subject, salt: Buffer): Promise<Buffer> {
  const { logN, r, p } = COST;
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN };
  return new Promise((resolve, reject) => {
    scrypt(`${by}:${value}`, salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
