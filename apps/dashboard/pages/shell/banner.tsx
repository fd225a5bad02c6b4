import { sessionEnded, unreachedSince } from '../api/reach.ts';
import { clock } from '../parts/clock.ts';
import { durationText } from '../parts/relative-time.ts';
import { SignIn } from '../parts/states.tsx';

/** A break shorter than this is not worth a word: the next poll is on its way. */
const QUIET_MS = 2_500;

/** Says that the session has ended, or that the dashboard does not answer. */
export function Banner() {
  if (sessionEnded.value) {
    return (
      <div class="banner banner-bad" role="alert">
        <strong>Your session has ended.</strong> <SignIn />
      </div>
    );
  }
  const since = unreachedSince.value;
  const lasts = since === null ? 0 : clock.value - since;
  return (
    <div class="banner-place" aria-live="polite">
      {lasts > QUIET_MS && (
        <div class="banner banner-warn">
          <strong>The dashboard does not answer.</strong> What you see is older, and comes back by itself.{' '}
          <span class="number" aria-hidden="true">
            {durationText(Math.round(lasts / 1_000))}
          </span>
        </div>
      )}
    </div>
  );
}
