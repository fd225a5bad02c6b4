import { event, iso, type Scenario } from './scenario.ts';

// printf 'abc' | sha256sum, printf 'abd' | sha256sum
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const ABD = 'a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9';

const audio = (at: number, full_audio: string) => event('post_call_audio', at, { full_audio });

/** Scenarios about the recordings of a call. */
export const recordings: Scenario[] = [
  {
    name: 'audio is a recording of its conversation',
    deliveries: [audio(10, 'YWJj')],
    rows: {
      conversation_recordings: [
        {
          conversation_id: 'c',
          content_type: 'audio/mpeg',
          bytes: 3,
          sha256: ABC,
          created_at: iso(10),
          deleted_at: null,
        },
      ],
    },
  },
  {
    name: 'the same audio again is the same recording, as the earliest event tells it; other audio is another',
    deliveries: [audio(20, 'YWJj'), audio(10, 'YWJj'), audio(30, 'YWJk'), audio(40, 'YWJj')],
    rows: {
      conversation_recordings: [
        { sha256: ABD, bytes: 3, created_at: iso(30) },
        { sha256: ABC, bytes: 3, created_at: iso(10) },
      ],
    },
  },
  {
    name: 'empty audio is no recording',
    deliveries: [audio(10, '')],
    rows: {
      conversations: [{ 'metadata.recording': { available: false, format: 'mp3', size_bytes: 0 } }],
      conversation_recordings: [],
    },
  },
];
