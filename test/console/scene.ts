import type { ConsoleLine } from '../support/console-line.ts';
import {
  arabicCall,
  audioBody,
  messageBody,
  silence,
  startedBody,
  transcriptBody,
  type Call,
  type Turn,
} from '../support/console-calls.ts';

/** The person that is erased, and what must be found nowhere afterwards. */
export const PERSON = { name: 'Zenobia Quill', user: 'user_zq_4711', number: '+12025550147' } as const;

/** A transcript that would run as a script if it were taken for HTML. */
export const SCRIPT = '<script>document.title = "broken"</script><img src=x onerror="document.title=\'broken\'">';

/** The long call: how many turns it has, one every two seconds. */
export const LONG_TURNS = 200;
const SECONDS_PER_TURN = 2;
const SHORT_SECONDS = 14;

/** Ids of the calls that tests name. */
export const CALLS = {
  long: 'conv_01k_window_table',
  /** A short one, which was recorded as well. */
  short: 'conv_01k_call_0',
  script: 'conv_01k_script',
  poisoned: 'conv_01k_poisoned',
} as const;

/** Calls of a restaurant's telephone and of its web site, the newest last. */
const ORDINARY: readonly [title: string, summary: string, success: NonNullable<Call['success']>, language: string][] = [
  ['Opening hours on Sunday', 'The caller asked when the kitchen closes on Sunday, and was told ten.', 'success', 'en'],
  ['Mesa para dos', 'The caller booked a table for two at nine.', 'success', 'es'],
  ['Gift card lost', 'The caller has lost a gift card. The agent could not find it by the number.', 'failure', 'en'],
  ['Tisch auf der Terrasse', 'The caller wanted a table outside, and took one inside.', 'success', 'de'],
  ['Allergy to nuts', 'The caller asked which desserts are made without nuts.', 'success', 'en'],
  ['Silent call', 'Nobody spoke.', 'unknown', 'en'],
  ['Birthday of twelve', 'The caller asked for a room for twelve people, and is to be called back.', 'success', 'en'],
];

const said = (agent: string, user: string): Turn[] => [
  { role: 'agent', message: agent, seconds: 1 },
  { role: 'user', message: user, seconds: 5 },
  { role: 'agent', message: 'Thank you for calling, and good bye.', seconds: 11 },
];

/** Sends what the tests look at, and waits until it is in the tables. `now` in unix seconds. */
export async function sendScene(line: ConsoleLine, now: number): Promise<void> {
  const calls: Call[] = ORDINARY.map(([title, summary, success, language], i) => ({
    id: `conv_01k_call_${i}`,
    at: now - 3600 + i * 420,
    user: `user_${i % 3}`,
    number: `+1202555010${i % 3}`,
    agent: i % 4 === 3 ? 'agent_web_site' : 'agent_front_desk',
    turns: said('Good day, this is the Lantern. What can I do for you?', summary),
    title,
    summary,
    success,
    language,
  }));
  calls.push(
    {
      id: CALLS.script,
      at: now - 500,
      turns: said('How can I help?', SCRIPT),
      title: SCRIPT,
      summary: SCRIPT,
      user: 'user_2',
    },
    ...[1, 2].map((i) => ({
      id: `conv_01k_person_${i}`,
      at: now - 7000 + i * 60,
      user: PERSON.user,
      number: PERSON.number,
      title: `${PERSON.name} asks for the seventh lantern`,
      summary: `${PERSON.name} asked.`,
      turns: said(`Good day, ${PERSON.name}.`, 'It is about the seventh lantern.'),
    })),
  );
  const long = longCall(now);
  const bodies = [...calls, long].map(transcriptBody);
  const short = { id: CALLS.short, at: now - 3600 };
  await line.accept([
    ...bodies,
    audioBody(long, silence(LONG_TURNS * SECONDS_PER_TURN)),
    audioBody(short, silence(SHORT_SECONDS)),
  ]);
  await line.accept([
    startedBody({ id: 'conv_01k_live', at: now - 20, user: 'user_1', number: '+12025550101' }),
    messageBody('conv_01k_live', now - 10, 'Hello, is somebody there?', 'user_1'),
  ]);
  await line.untilRows(`conversations WHERE status = 'done'`, bodies.length);
  await line.untilRows('conversation_recordings WHERE stored_at IS NOT NULL', 2);
}

function longCall(now: number): Call {
  const facts = {
    id: CALLS.long,
    at: now - LONG_TURNS * SECONDS_PER_TURN - 60,
    user: 'user_0',
    number: '+12025550100',
    title: 'حجز طاولة بجانب النافذة',
    summary: 'طلب المتصل طاولة لأربعة أشخاص بجانب النافذة، وتم الحجز للساعة الثامنة مساءً.',
  };
  return arabicCall(facts, LONG_TURNS);
}
