import { WEBHOOK_PATH } from '@landline/webhook/delivery';
import { z } from 'zod';
import { originOf } from './origin.ts';

const API_URL = 'https://api.elevenlabs.io';

/** What a paste adds to a key: white space and characters that are not displayed, anywhere. */
const INVISIBLE = /[\s\p{Cc}\p{Cf}\p{DI}]/gu;
/** Quotation marks, straight and typographic, which `docker --env-file` and word processors leave around a value. */
const MARKS_AT_AN_END = /^["'`“”„‟‘’‚‛«»]+|["'`“”„‟‘’‚‛«»]+$/gu;
/** What a header can hold. */
const VISIBLE = /^[\x21-\x7e]+$/;

/** The variables of this package, as a shape for a process's schema. */
export const providerVariables = {
  /** A key of the provider's API, without the characters that a paste added. Unset: nothing is asked of the provider. */
  ELEVENLABS_API_KEY: z
    .string()
    .transform((key) => key.replaceAll(INVISIBLE, '').replaceAll(MARKS_AT_AN_END, ''))
    .refine((key) => VISIBLE.test(key), {
      error: 'ELEVENLABS_API_KEY holds characters that no key has: copy the key from ElevenLabs once more',
    })
    .optional()
    .meta({ secret: true, cleaned: true }),
  /** The origin of the provider's API: that of the region in which the workspace is. http is for this machine alone: the key goes there. */
  ELEVENLABS_API_URL: originOf('ELEVENLABS_API_URL', { example: API_URL, isSecret: true }).default(API_URL),
  /** The origin under which the provider reaches the receiver, such as `https://calls.example.com`; the webhook's whole address does as well. */
  PUBLIC_URL: originOf('PUBLIC_URL', { example: 'https://calls.example.com', path: WEBHOOK_PATH }).optional(),
};
