import { counted, type ReconcilePlan } from '@landline/operations';
import { showControls } from '../format-table.ts';

/** So many ids of a kind are shown to a person; `--json` has all. */
const SHOWN = 20;

/** Returns what a comparison has found as a JSON document. `reasons` has why calls are unfetchable, by id, as far as it is known. */
export function planDocument(plan: ReconcilePlan): object {
  const { missing, withoutRecording, waiting, unfetchable, complete, erased } = plan;
  const known = unfetchable.filter(({ reason }) => reason !== null);
  return {
    missing,
    without_recording: withoutRecording,
    waiting,
    unfetchable: unfetchable.map(({ id }) => id),
    complete,
    erased,
    reasons: Object.fromEntries(known.map(({ id, reason }) => [id, reason])),
  };
}

/** Describes what a comparison has found, for a person: names every call that cannot be fetched, and the first of the others. */
export function describePlan(plan: ReconcilePlan): string {
  const { missing, withoutRecording, waiting, unfetchable, complete, erased } = plan;
  const whole = missing.length + withoutRecording.length + waiting.length + unfetchable.length + complete + erased;
  const lines = [
    `${counted(whole, 'conversation')} ${whole === 1 ? 'was' : 'were'} compared with ElevenLabs.`,
    line(complete, 'complete'),
    line(waiting.length, 'waiting: the call goes on, or its webhooks may still come'),
    ...part(missing, 'missing: no transcript of them came, or one without its turns'),
    ...part(withoutRecording, 'without their recording'),
    line(unfetchable.length, 'unfetchable: something of them never came, and cannot be fetched'),
    ...unfetchable.map(({ id, reason }) => indented(reason === null ? id : `${id}: ${reason}`)),
    line(erased, 'erased: forgotten here, and not asked for'),
  ];
  return lines.join('\n');
}

function line(count: number, what: string): string {
  return `${String(count).padStart(9)}  ${what}`;
}

function indented(text: string): string {
  return `           ${showControls(text)}`;
}

function part(ids: readonly string[], what: string): string[] {
  const more = ids.length > SHOWN ? [indented(`and ${ids.length - SHOWN} more: --json has all`)] : [];
  return [line(ids.length, what), ...ids.slice(0, SHOWN).map(indented), ...more];
}
