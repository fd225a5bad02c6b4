/**
 * Why the provider did not do what it was asked for:
 *
 * - `unauthorized`: the key is none of the provider's.
 * - `forbidden`: the key lacks a permission, or the plan does not include it; `permission` names it where that is known.
 * - `not_found`: there is no such thing, or this key does not see it.
 * - `refused`: the provider does not take the request as it is.
 * - `busy`: too many requests, also after all the waiting.
 * - `unavailable`: the provider, or the way to it, fails, also after all the waiting.
 * - `unusable`: what the provider has can never be used: it is empty, larger than any event, or no conversation.
 * - `bad_answer`: the answer is not what the provider documents.
 */
export type ProviderFault =
  'unauthorized' | 'forbidden' | 'not_found' | 'refused' | 'busy' | 'unavailable' | 'unusable' | 'bad_answer';

/** The provider did not do what it was asked for. The message says what to do, and holds neither the key nor anything of a call but its id. */
export class ProviderError extends Error {
  readonly code: ProviderFault;
  /** Of the answer; undefined where none came. */
  readonly status: number | undefined;
  /** The permission that the key lacks, as the provider's pages name it. */
  readonly permission: string | undefined;

  constructor(
    code: ProviderFault,
    message: string,
    facts: { status?: number | undefined; permission?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: facts.cause });
    this.name = 'ProviderError';
    this.code = code;
    this.status = facts.status;
    this.permission = facts.permission;
  }
}
