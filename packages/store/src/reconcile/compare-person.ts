import { createHmac, randomBytes } from 'node:crypto';
import { isHashOf } from '../forget/subject-hash.ts';
import { subjectSchema, type Subject } from '../forget/subject.ts';

/** Answers that are kept. */
const MOST_KEPT = 10_000;

/** An erasure of a person, and by which hash it knows them. */
export interface PersonErasure {
  id: string;
  kind: string;
  subjectHash: string;
}

/** Tells whether an erasure is that of a subject. */
export type IsOf = (erasure: PersonErasure, subject: Subject) => Promise<boolean>;

/** Whose a call is. */
export interface Erasable {
  userId: string | null;
  number: string | null;
}

/**
 * Makes what tells whether an erasure is that of a subject. A comparison takes some tenths of a second and 32 MiB, so each answer is kept in this process, under a
 * hash with a key that is nowhere else: no list of persons grows in its memory.
 *
 * @param isHash  What compares. Only tests need another one.
 */
export function comparing(isHash = isHashOf): IsOf {
  const answers = new Map<string, boolean>();
  const key = randomBytes(32);
  return async (erasure, subject) => {
    const question = createHmac('sha256', key).update(`${erasure.id} ${subject.by} ${subject.value}`).digest('base64');
    const known = answers.get(question);
    if (known !== undefined) return known;
    const answer = await isHash(erasure.subjectHash, subject);
    if (answers.size >= MOST_KEPT) answers.clear();
    answers.set(question, answer);
    return answer;
  };
}

/** Names the person as an erasure would. What no erasure could name was never erased by it. */
export function subjectsOf({ userId, number }: Erasable): Subject[] {
  const given = [
    { by: 'user', value: userId },
    { by: 'number', value: number },
  ];
  return given.flatMap((one) => {
    const subject = subjectSchema.safeParse(one);
    return subject.success ? [subject.data] : [];
  });
}
