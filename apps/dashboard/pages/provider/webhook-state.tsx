import { useComputed } from '@preact/signals';
import type { ProviderCheckItem } from '../../src/api/contract/provider.ts';
import { clock } from '../parts/clock.ts';
import { Tag, type Tone } from '../parts/tag.tsx';
import { Time } from '../parts/time.tsx';

/** Workers look every five minutes: above this the newest look is old, in ms. */
const OLD_MS = 900_000;

/** Whether our webhook is up, in a word and a sentence. */
function stateOf(isUp: boolean | null): { tone: Tone; text: string; says: string } {
  if (isUp === null)
    return { tone: 'warn', text: 'cannot be seen', says: 'It could not be looked at. See the findings below.' };
  return isUp
    ? { tone: 'good', text: 'up', says: 'Our webhook is there, enabled, and used by the workspace.' }
    : { tone: 'bad', text: 'down', says: 'The provider does not send us what happens. See the findings below.' };
}

/** Whether our webhook is up, when somebody looked last, and the last failure beside what we had answered. */
export function WebhookState({ check }: { check: ProviderCheckItem }) {
  const { tone, text, says } = stateOf(check.is_webhook_up);
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

/** What the provider saw, and what we had answered. */
function LastFailure({ failure }: { failure: ProviderCheckItem['last_failure'] }) {
  if (failure === null) return <>none</>;
  return (
    <>
      <Time at={failure.at} />: the provider saw <strong>{failure.code ?? 'no answer'}</strong>
      {'. '}
      {failure.answered === null ? 'What we answered is not known.' : <bdi>{failure.answered}.</bdi>}
    </>
  );
}
