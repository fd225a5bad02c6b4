import { z } from 'zod';
import type { CallStatus } from '../provider.ts';

/** How far a call can be at the provider. */
export const CALL_STATUSES = ['initiated', 'in-progress', 'processing', 'done', 'failed'] as const;

/** A status. One that nobody knows counts as `processing`: it must not pass for the end of a call. */
export const callStatus: z.ZodType<CallStatus> = z.enum(CALL_STATUSES).catch('processing');
