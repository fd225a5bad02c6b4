import type { RejectedItem } from '../../src/api/contract/rejected.ts';
import { Tag } from '../parts/tag.tsx';
import { Bytes, Time } from '../parts/time.tsx';
import { causeTitle } from './causes.ts';

/** One refused request of the list. */
export function RejectedRow({ request }: { request: RejectedItem }) {
  return (
    <div class="rejected-row">
      <span class="rejected-cause cut">{causeTitle(request.cause)}</span>
      <span class="rejected-code cut quiet mono">{request.code}</span>
      <span class="rejected-sender cut quiet" dir="auto">
        {request.sender ?? ''}
      </span>
      <span class="rejected-bytes quiet">
        <Bytes count={request.body_bytes} />
      </span>
      <span class="rejected-when quiet">
        <Time at={request.received_at} />
      </span>
      <span class="rejected-state">{request.readmitted_at !== null && <Tag tone="good">readmitted</Tag>}</span>
    </div>
  );
}
