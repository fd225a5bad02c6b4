import type { ComponentChildren } from 'preact';
import type { ToolCallItem } from '../../src/api/contract/conversations.ts';
import { JsonTree } from '../parts/json-tree.tsx';
import { Tag } from '../parts/tag.tsx';
import { Duration } from '../parts/time.tsx';
import { plainWord } from './conversation-words.ts';
import { Fold } from './fold.tsx';

/** A tool call in its place: what was called, and folded, with which parameters and what came back. */
export function ToolCall({ call, time }: { call: ToolCallItem; time: ComponentChildren }) {
  const isError = call.is_error === true;
  return (
    <div class="tool" data-error={isError || undefined}>
      {time}
      <Fold
        class="tool-fold"
        summary={
          <>
            <span class="tool-kind">Tool</span>
            <code class="tool-name">{call.tool_name ?? 'unnamed'}</code>
            {call.tool_type !== null && <span class="tool-type">{plainWord(call.tool_type)}</span>}
            {call.latency_seconds !== null && <Duration seconds={call.latency_seconds} />}
            {isError && <Tag tone="bad">error</Tag>}
            {!isError && call.result === null && <Tag tone="quiet">no result</Tag>}
          </>
        }
      >
        {() => (
          <div class="tool-values">
            <p class="tool-label">Parameters</p>
            <JsonTree value={call.parameters} label={`Parameters of ${call.tool_name ?? 'the call'}`} />
            <p class="tool-label">{isError ? 'Error' : 'Result'}</p>
            {call.result === null ? (
              <p class="tool-nothing">Nothing came back.</p>
            ) : (
              <JsonTree value={call.result} label={`Result of ${call.tool_name ?? 'the call'}`} />
            )}
          </div>
        )}
      </Fold>
    </div>
  );
}
