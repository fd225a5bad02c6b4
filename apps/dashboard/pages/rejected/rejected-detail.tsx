import { Fragment } from 'preact';
import type { RejectedDetail as Request } from '../../src/api/contract/rejected.ts';
import { useApi } from '../api/use-api.ts';
import { bytesText, countText } from '../parts/relative-time.ts';
import { Failed, Loading } from '../parts/states.tsx';
import { Tag } from '../parts/tag.tsx';
import { Bytes, Time } from '../parts/time.tsx';
import { causeWords } from './causes.ts';

interface RejectedDetailProps {
  id: string;
  /** Asks to readmit what a filter selects. */
  onReadmit: (filter: Record<string, string>) => void;
}

/** One refused request: why, what to do, and all that was kept of it. */
export function RejectedDetail({ id, onReadmit }: RejectedDetailProps) {
  const { data, error, reload } = useApi<Request>(`/rejected/${encodeURIComponent(id)}`);
  if (!data) return error ? <Failed error={error} retry={reload} /> : <Loading what="the request" />;
  return (
    <article>
      <Diagnosis request={data} onReadmit={onReadmit} />
      <Facts request={data} />
      <Headers request={data} />
      <Body request={data} />
    </article>
  );
}

/** The filter that selects this request, and those of the same cause in the same millisecond. */
function filterOfOne({ received_at: at, cause }: Request): Record<string, string> {
  return { cause, since: at, until: new Date(Date.parse(at) + 1).toISOString() };
}

/** Why it was refused and what to do, in plain words. */
function Diagnosis({ request, onReadmit }: { request: Request; onReadmit: RejectedDetailProps['onReadmit'] }) {
  const { title, canReadmit } = causeWords(request.cause);
  const isIn = request.readmitted_at !== null;
  return (
    <>
      <h2 class="detail-title">{title}</h2>
      <p class="rejected-advice">{request.advice}</p>
      {isIn && (
        <p>
          <Tag tone="good">readmitted</Tag> <Time at={request.readmitted_at} />
        </p>
      )}
      {!isIn && canReadmit && (
        <button type="button" class="button" onClick={() => onReadmit(filterOfOne(request))}>
          Readmit this request…
        </button>
      )}
    </>
  );
}

/** When and whence it came, and how it was answered. */
function Facts({ request }: { request: Request }) {
  const { kept_bytes: kept, body_bytes: all } = request;
  const isCut = kept !== null && all !== null && kept < all;
  return (
    <dl class="facts section">
      <dt>Received</dt>
      <dd>
        <Time at={request.received_at} />
      </dd>
      <dt>Answered</dt>
      <dd>
        401 <code>{request.code}</code>
      </dd>
      <dt>Sender</dt>
      <dd dir="auto">{request.sender ?? <span class="quiet">not known</span>}</dd>
      <dt>Body</dt>
      <dd>
        <Bytes count={all} /> {isCut && <span class="quiet">of which {bytesText(kept)} were kept</span>}
      </dd>
      <dt>Id</dt>
      <dd class="mono">{request.id}</dd>
    </dl>
  );
}

/** Its headers as they came. That of the signature stands first. */
function Headers({ request }: { request: Request }) {
  const headers = Object.entries(request.headers);
  return (
    <section class="section" aria-labelledby="rejected-headers">
      <h3 id="rejected-headers">Headers</h3>
      <dl class="facts rejected-headers">
        <dt>elevenlabs-signature</dt>
        <dd class="mono">{request.header ?? <span class="quiet">none</span>}</dd>
        {headers
          .filter(([name]) => name !== 'elevenlabs-signature')
          .map(([name, value]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd class="mono" dir="auto">
                {value}
              </dd>
            </Fragment>
          ))}
      </dl>
    </section>
  );
}

/** Of how many bytes of a body the API shows the text. */
const MOST_SHOWN = 65_536;

/** The beginning of its body, as text. */
function Body({ request }: { request: Request }) {
  const { body_text: text, body_bytes: all, kept_bytes: kept } = request;
  const isBeginning = kept !== null && (kept > MOST_SHOWN || (all !== null && kept < all));
  return (
    <section class="section" aria-labelledby="rejected-body">
      <h3 id="rejected-body">Body</h3>
      {text === null || text === '' ? (
        <p class="quiet">{all === 0 ? 'It was empty.' : 'Nothing of it was kept.'}</p>
      ) : (
        <pre class="raw" dir="auto" tabIndex={0} aria-label="Body">
          {text}
        </pre>
      )}
      {text !== null && text !== '' && isBeginning && (
        <p class="quiet">The beginning: {countText(text.length)} characters.</p>
      )}
    </section>
  );
}
