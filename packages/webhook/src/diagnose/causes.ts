/** What a cause is to a reader. */
interface CauseText {
  /** One sentence: what was found. */
  says: string;
  /** What to click or to set. */
  advice: string;
}

/** Where the provider shows the secret's webhook. */
const WEBHOOKS = 'In ElevenLabs: Workspace settings → Webhooks';

const ANOTHER_SENDER = `If ElevenLabs sent it, let the proxy pass the header ElevenLabs-Signature as it is. Else the sender is not ElevenLabs, and there is nothing to do.`;
const OTHER_FORM = `If ElevenLabs sent it, let the proxy pass the header as it is. A bridge of your own must send t=<unix seconds>,v0=<64 lower-case hex digits>.`;
const LEAVE_BODY = `Let the proxy or gateway pass the body byte for byte: sign and verify what is sent, and print no JSON anew.`;
const COPY_SECRET = `Copy the secret once more into ELEVENLABS_WEBHOOK_SECRET, and restart the receiver. Then: landline rejected readmit.`;

/** Each cause of a refusal that `diagnose` names: the only table of their words. */
export const CAUSES = {
  signature_good: {
    says: 'The signature is good.',
    advice: 'If the receiver refused it, restart the receiver: its secret or its tolerance was another one.',
  },
  another_live_secret: {
    says: 'The signature is good with a secret that is live here now, and was not when the request came.',
    advice: 'Restart each receiver that has the old secret. Then: landline rejected readmit.',
  },
  no_signature: { says: 'The request has no header ElevenLabs-Signature.', advice: ANOTHER_SENDER },
  empty_signature: { says: 'The header ElevenLabs-Signature is empty.', advice: ANOTHER_SENDER },
  repeated_signature: { says: 'The header ElevenLabs-Signature was sent more than once.', advice: OTHER_FORM },
  no_time: { says: 'The header has no t.', advice: OTHER_FORM },
  time_unreadable: { says: 'The t of the header is not a time in unix seconds.', advice: OTHER_FORM },
  time_in_milliseconds: {
    says: 'The t of the header is in milliseconds: it must be in seconds.',
    advice: 'Have the sender divide its time by 1,000, and sign that text.',
  },
  no_v0: { says: 'The header has no v0.', advice: OTHER_FORM },
  signature_in_upper_case: {
    says: 'The v0 of the header is in upper-case hex digits: they must be lower-case.',
    advice: 'Have the sender print the digest in lower case.',
  },
  signature_in_base64: {
    says: 'The v0 of the header is in base64: it must be 64 lower-case hex digits.',
    advice: 'Have the sender print the digest in hex.',
  },
  signature_unreadable: { says: 'The v0 of the header is not 64 lower-case hex digits.', advice: OTHER_FORM },
  stale: {
    says: 'The signature is good, and was made too long before the request came.',
    advice:
      'Set the clock of this machine. If the delivery was late, raise SIGNATURE_TOLERANCE_SECONDS; then: landline rejected readmit.',
  },
  ahead: {
    says: 'The signature is good, and its time lies in the future of this clock.',
    advice: 'Set the clock of this machine, or that of the sender.',
  },
  secret_has_white_space: {
    says: 'The secret here has white space around it.',
    advice: 'Take the white space out of ELEVENLABS_WEBHOOK_SECRET, and restart the receiver.',
  },
  secret_is_quoted: {
    says: 'The secret here has quotation marks or invisible characters in it or around it.',
    advice: 'Take them out of ELEVENLABS_WEBHOOK_SECRET, and restart the receiver.',
  },
  secret_lacks_prefix: { says: 'The secret here lacks its wsec_.', advice: COPY_SECRET },
  sender_leaves_prefix_out: {
    says: 'The sender leaves wsec_ out of the secret.',
    advice: 'Have the sender use the whole secret as its key, wsec_ included.',
  },
  newline_added: { says: 'Something on the way added a newline to the end of the body.', advice: LEAVE_BODY },
  newline_removed: { says: 'Something on the way took the newline from the end of the body.', advice: LEAVE_BODY },
  line_ends_changed: {
    says: 'Something on the way changed the line ends of the body (CRLF and LF).',
    advice: LEAVE_BODY,
  },
  bom_added: { says: 'Something on the way put a byte order mark before the body.', advice: LEAVE_BODY },
  bom_removed: { says: 'Something on the way took the byte order mark from the body.', advice: LEAVE_BODY },
  json_printed_anew: { says: 'Something on the way printed the JSON of the body anew.', advice: LEAVE_BODY },
  body_compressed: {
    says: 'Something on the way compressed the body.',
    advice: 'Switch the compression of requests off in the proxy or gateway.',
  },
  body_missing: {
    says: 'No byte of the body arrived: something on the way drops it.',
    advice: 'See that no redirect stands between the sender and the receiver, and that the proxy passes bodies on.',
  },
  signed_empty_body: {
    says: 'The signature is that of an empty body.',
    advice: 'Have the sender sign the bytes that it sends, after it has made them.',
  },
  signed_body_alone: {
    says: 'The signature is over the body alone.',
    advice: 'Have the sender sign the time, a dot and the body.',
  },
  body_length_differs: {
    says: 'Another number of bytes arrived than was announced.',
    advice: 'Look for what cuts requests off: a proxy that restarts, or a limit on their size or time.',
  },
  body_changed: {
    says: 'The body is not JSON, so something on the way has changed it, or the sender is not ElevenLabs.',
    advice: LEAVE_BODY,
  },
  body_cut: {
    says: 'Only the beginning of the body was kept, so no signature can be checked.',
    advice: 'Compare the secret. The body cannot be readmitted: fetch the conversation from ElevenLabs.',
  },
  body_unread: {
    says: 'The header was refused before the body was read, so no signature can be checked.',
    advice: 'See the code, and the row of it in docs/troubleshooting.md.',
  },
  another_secret: {
    says: 'Signed with another secret: no secret that is live here gives this signature, by no change that was tried.',
    advice: `${WEBHOOKS}, compare the webhook's secret with ELEVENLABS_WEBHOOK_SECRET. Add the right one before a comma, and restart the receiver. Then: landline rejected readmit.`,
  },
  unknown: {
    says: 'Whoever diagnosed this request knew no secret.',
    advice: 'Give ELEVENLABS_WEBHOOK_SECRET to the worker as well.',
  },
} satisfies Record<string, CauseText>;

/** The name of a cause, as tables, metrics and commands have it. */
export type Cause = keyof typeof CAUSES;

/** Tells whether a text is the name of a cause. */
export function isCause(text: string): text is Cause {
  return Object.hasOwn(CAUSES, text);
}

/** The causes of requests whose signature nobody can check, whatever the secret: there is nothing to readmit. */
export const HOPELESS_CAUSES: readonly Cause[] = [
  'no_signature',
  'empty_signature',
  'repeated_signature',
  'no_time',
  'time_unreadable',
  'no_v0',
  'signature_unreadable',
  'body_cut',
  'body_unread',
];

const HOPELESS: ReadonlySet<string> = new Set(HOPELESS_CAUSES);

/** Tells whether no secret makes the requests of a cause good. Of a cause that this version does not know, one may. */
export function isHopeless(cause: string): boolean {
  return HOPELESS.has(cause);
}
