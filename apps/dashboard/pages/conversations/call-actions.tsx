import { useState } from 'preact/hooks';
import type { ConversationDetail } from '../../src/api/contract/conversations.ts';
import type { OperationCall } from '../../src/api/contract/operations.ts';
import { useKeys } from '../keys/use-keys.ts';
import { PlanDialog } from '../parts/plan-dialog.tsx';

/** What a person can do to a conversation: the button, the dialog's title, and what it asks for. */
const ACTIONS: readonly { verb: string; title: string; callOf: (conversation: string) => OperationCall }[] = [
  {
    verb: 'Fetch again',
    title: 'Fetch this conversation from ElevenLabs again',
    callOf: (conversation) => ({ kind: 'fetch-conversation', conversation }),
  },
  {
    verb: 'Rebuild',
    title: 'Rebuild this conversation from its events',
    callOf: (conversation) => ({ kind: 'rebuild-conversation', conversation }),
  },
  {
    verb: 'Erase',
    title: 'Erase this conversation',
    callOf: (value) => ({ kind: 'erase', by: 'conversation', value }),
  },
];

/** What a person can do to a conversation. Each asks once and says how many. */
export function CallActions({ call, onAsked }: { call: ConversationDetail; onAsked: () => void }) {
  const [verb, setVerb] = useState<string>();
  useKeys({
    a: { does: 'Fetch the conversation from ElevenLabs again', run: () => setVerb('Fetch again') },
    r: { does: 'Rebuild the conversation from its events', run: () => setVerb('Rebuild') },
  });
  const asked = ACTIONS.find((action) => action.verb === verb);
  function close(): void {
    setVerb(undefined);
    onAsked();
  }
  return (
    <>
      {ACTIONS.map((action) => (
        <button key={action.verb} type="button" class="button" onClick={() => setVerb(action.verb)}>
          {action.verb}…
        </button>
      ))}
      {asked && <PlanDialog title={asked.title} call={asked.callOf(call.id)} verb={asked.verb} onClose={close} />}
    </>
  );
}
