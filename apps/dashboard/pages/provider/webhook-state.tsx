import { useComputed } from '@preact/signals';
import type { ProviderCheckItem } from '../../src/api/contract/provider.ts';
import { clock } from '../parts/clock.ts';
import { Tag, type Tone } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';

/** Workers look every five minutes: above this the newest look is old, in ms. */
const OLD_MS = 900_000;

/** Whether our webhook is up, in a word and a sentence. What was seen before ElevenLabs was away is said to be so no longer. */
function stateOf(isUp: boolean | null, isOld: boolean): { tone: Tone; text: string; says: string } {
  if (isUp === null)
    return { tone: 'warn', text: 'cannot be seen', says: 'It could not be looked at. See the findings below.' };
  if (isUp && isOld) {
    return { tone: 'quiet', text: 'was up', says: 'So it was at the last look, before the last try failed.' };
  }
  return isUp
    ? { tone: 'good', text: 'up', says: 'Our webhook is there, and would bring the transcripts of calls.' }
    : { tone: 'bad', text: 'down', says: 'ElevenLabs does not send us what happens. See the findings below.' };
}

/**
 * Whether our webhook is up, when somebody looked last, and the last failure beside what we had answered.
 *
 * @param isOld  Whether a comparison has failed since.
 */
export function WebhookState({ check, isOld }: { check: ProviderCheckItem; isOld: boolean }) {
  const { tone, text, says } = stateOf(check.is_webhook_up, isOld);
  return (
    <section class="provider-webhook" aria-labelledby="webhook">
      <h2 id="webhook">
        Webhook <Tag tone={tone}>{text}</Tag>
      </h2>
      <p>{says}</p>
      <dl class="facts">
        <dt>Looked at</dt>
        <dd>
          <Time at={check.checked_at} /> <OldLook at={Date.parse(check.checked_at)} />
        </dd>
        <dt>Last failure</dt>
        <dd>
          <LastFailure failure={check.last_failure} />
        </dd>
      </dl>
    </section>
  );
}

/** Says that the newest look is old. */
function OldLook({ at }: { at: number }) {
  const isOld = useComputed(() => clock.value - at > OLD_MS);
  if (!isOld.value) return null;
  return <Tag tone="warn">old: does a worker run, and has it ELEVENLABS_API_KEY?</Tag>;
}

/** What ElevenLabs saw, and what we had answered. */
function LastFailure({ failure }: { failure: ProviderCheckItem['last_failure'] }) {
  if (failure === null) return <>none</>;
  return (
    <>
      <Time at={failure.at} />: ElevenLabs saw <strong>{failure.code ?? 'no answer'}</strong>
      {'. '}
      {failure.answered === null ? 'What we answered is not known.' : <bdi>{failure.answered}.</bdi>}
    </>
  );
}
