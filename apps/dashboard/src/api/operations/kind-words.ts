const WORDS: Readonly<Record<string, string>> = {
  replay: 'The replay of events',
  readmit: 'The readmission of requests',
  erase: 'The erasure of a person',
  rebuild: 'The rebuild of the tables',
  'rebuild-conversation': 'The rebuild of a conversation',
  retention: 'The deletion of what is old',
  reconcile: 'The comparison with ElevenLabs',
  'fetch-conversation': 'The fetch of a conversation',
};

/** What kind of work it is, as the subject of a sentence. A later version may have more kinds. */
export function kindWords(kind: string): string {
  return WORDS[kind] ?? `The operation ${kind}`;
}
