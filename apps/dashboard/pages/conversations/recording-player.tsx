import { useState } from 'preact/hooks';
import type { RecordingItem } from '../../src/api/contract/events.ts';
import { Bytes, Time } from '../parts/time.tsx';
import type { Player } from './use-player.ts';

interface RecordingPlayerProps {
  recordings: readonly RecordingItem[];
  player: Player;
}

const SPEEDS = [1, 1.25, 1.5, 2];

/** The recording. The browser's own player plays it; the chat follows it. */
export function RecordingPlayer({ recordings, player }: RecordingPlayerProps) {
  const playable = recordings.filter(({ href }) => href !== null);
  const [chosen, setChosen] = useState<string>();
  const recording = playable.find(({ sha256 }) => sha256 === chosen) ?? playable[0];
  if (!recording) return recordings.length > 0 ? <NoRecording recordings={recordings} /> : null;
  return (
    <section class="player" aria-label="Recording">
      <RecordingAudio key={recording.sha256} recording={recording} player={player} />
      <div class="player-tools">
        <button
          type="button"
          class={player.isFollowing ? 'follow follow-on' : 'follow'}
          aria-pressed={player.isFollowing}
          title="The chat scrolls with the recording (f)"
          onClick={player.isFollowing ? player.pause : player.follow}
        >
          <span class="follow-dot" aria-hidden="true" />
          {player.isFollowing ? 'Following' : 'Follow'}
        </button>
        <Speed player={player} />
        {playable.length > 1 && (
          <label class="player-choice">
            <span>Recording</span>
            <select value={recording.sha256} onChange={(event) => setChosen(event.currentTarget.value)}>
              {playable.map(({ sha256 }, index) => (
                <option key={sha256} value={sha256}>
                  {index + 1} of {playable.length}
                </option>
              ))}
            </select>
          </label>
        )}
        <Bytes count={recording.bytes} />
      </div>
    </section>
  );
}

/** Nothing of the audio is loaded before somebody plays it: opening the page costs no megabytes. */
function RecordingAudio({ recording, player }: { recording: RecordingItem; player: Player }) {
  const [isBroken, setBroken] = useState(false);
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the chat below is what is said, and it follows */}
      <audio
        ref={player.audio}
        controls
        preload="none"
        src={recording.href ?? undefined}
        aria-label="Recording of the call"
        onTimeUpdate={player.onTime}
        onSeeked={player.onTime}
        onPlaying={() => setBroken(false)}
        onError={() => setBroken(true)}
      />
      {isBroken && (
        <p class="player-fault" role="alert">
          The audio could not be played. It may have been deleted, or the storage does not answer.
        </p>
      )}
    </>
  );
}

function Speed({ player }: { player: Player }) {
  const [speed, setSpeed] = useState(1);
  function choose(next: number): void {
    setSpeed(next);
    const { current: audio } = player.audio;
    if (!audio) return;
    audio.playbackRate = next;
    // A load sets the rate back to this one.
    audio.defaultPlaybackRate = next;
  }
  return (
    <label class="player-choice">
      <span>Speed</span>
      <select value={speed} onChange={(event) => choose(Number(event.currentTarget.value))}>
        {SPEEDS.map((value) => (
          <option key={value} value={value}>
            {value}×
          </option>
        ))}
      </select>
    </label>
  );
}

/** Why there is nothing to play. */
function NoRecording({ recordings }: { recordings: readonly RecordingItem[] }) {
  const deleted = recordings.find(({ deleted_at }) => deleted_at !== null);
  return (
    <p class="player-none">
      {deleted ? (
        <>
          The recording was deleted <Time at={deleted.deleted_at} />.
        </>
      ) : (
        'The call was recorded, and the audio is not in the storage: it is still on its way, or it was not kept.'
      )}
    </p>
  );
}
