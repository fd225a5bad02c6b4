import { useMemo, useState } from 'preact/hooks';
import type { EventDetail } from '../../src/api/contract/events.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { closeCutJson, parseExactly } from '../parts/cut-json.ts';
import { JsonTree } from '../parts/json-tree.tsx';
import { Failed, Loading } from '../parts/states.tsx';
import { Bytes } from '../parts/time.tsx';
import { bodyFile, curlText, sendText, type CopiedEvent } from './curl-text.ts';
import { bodyHref, useBody, type BodyRead } from './read-body.ts';

type View = 'tree' | 'raw';

/** Which of the two a person looked at last: moving to the next event keeps it. */
let viewedLast: View = 'tree';

/** The body of an event as a tree and raw, and ways to send it again. */
export function EventBody({ event }: { event: EventDetail }) {
  const { body, error, reload } = useBody(event.id);
  const [view, setView] = useState<View>(viewedLast);
  function choose(next: View): void {
    viewedLast = next;
    setView(next);
  }
  return (
    <section class="section event-body" aria-label="Body">
      <div class="event-body-head">
        <h3>Body</h3>
        <span class="choices" role="group" aria-label="Show the body as">
          <button type="button" aria-pressed={view === 'tree'} onClick={() => choose('tree')}>
            Tree
          </button>
          <button type="button" aria-pressed={view === 'raw'} onClick={() => choose('raw')}>
            Raw
          </button>
        </span>
      </div>
      <Ways event={event} body={body} />
      {error && <Failed error={error} retry={reload} />}
      {!body && !error && <Loading what="the body" />}
      {body?.text === '' && (
        <p class="event-body-note">
          {event.whole_bytes > 0 ? 'The body is in the storage: download it to read it.' : 'The body is empty.'}
        </p>
      )}
      {body && !body.isWhole && <Cut event={event} body={body} />}
      {body && body.text !== '' && (view === 'tree' ? <BodyTree body={body} /> : <RawBody body={body} />)}
    </section>
  );
}

/** Ways to take the body elsewhere. */
function Ways({ event, body }: { event: EventDetail; body: BodyRead | undefined }) {
  if (!event.has_body)
    return <p class="event-body-note">The whole body is gone: its time was over, or its audio was deleted.</p>;
  const isWhole = body?.isWhole === true && event.whole_bytes === event.body_bytes;
  const copied: CopiedEvent = { id: event.id, whole_bytes: event.whole_bytes, body: isWhole ? body.text : undefined };
  return (
    <p class="event-ways">
      <a class="button button-small" href={bodyHref(event.id)} download={bodyFile(event.id)}>
        Download
      </a>
      <CopyButton text={() => curlText(copied)} label="Copy as curl" />
      <CopyButton text={() => sendText(copied)} label="Copy for landline send" />
    </p>
  );
}

function Cut({ event, body }: { event: EventDetail; body: BodyRead }) {
  return (
    <p class="event-body-note">
      This is the beginning of <Bytes count={body.bytes} />.{' '}
      {event.has_body && (
        <a href={bodyHref(event.id)} download={bodyFile(event.id)}>
          Download the whole body
        </a>
      )}
    </p>
  );
}

function BodyTree({ body }: { body: BodyRead }) {
  const value = useMemo(() => readTree(body), [body]);
  if (value === undefined) {
    return (
      <>
        <p class="event-body-note">This body is no JSON, so it is shown as it came.</p>
        <RawBody body={body} />
      </>
    );
  }
  return <JsonTree value={value.json} label="Body" depth={2} />;
}

/** Reads the body, or as much of it as is there; undefined where it is no JSON. */
function readTree({ text, isWhole }: BodyRead): { json: unknown } | undefined {
  const whole = isWhole ? text : closeCutJson(text);
  try {
    return whole === undefined ? undefined : { json: parseExactly(whole) };
  } catch {
    return undefined;
  }
}

function RawBody({ body }: { body: BodyRead }) {
  return (
    <div class="raw-box">
      <CopyButton small text={body.text} label="Copy the text" />
      {/* Focusable, so that it can be scrolled without a mouse. */}
      <pre class="raw" tabIndex={0} role="region" aria-label="Raw body" dir="auto">
        {body.text}
      </pre>
    </div>
  );
}
