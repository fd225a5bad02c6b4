import { useKeys } from '../keys/use-keys.ts';
import type { Following } from './list-props.ts';

/** Goes on following, and says how many new items wait. It keeps its place while one follows. */
export function FollowButton({ pages }: { pages: Following & { waiting: number } }) {
  useKeys({ n: { does: 'Show what is new and follow', run: pages.follow } });
  const { isFollowing, waiting } = pages;
  const words = isFollowing ? 'Live' : waiting > 0 ? `${waiting >= 50 ? '50+' : waiting} new` : 'Follow';
  return (
    <button
      type="button"
      class={`follow${isFollowing ? ' follow-on' : ''}${waiting > 0 ? ' follow-waiting' : ''}`}
      aria-pressed={isFollowing}
      title={isFollowing ? 'The list follows what comes in' : 'Go to the top and follow what comes in'}
      onClick={isFollowing ? pages.pause : pages.follow}
    >
      <span class="follow-dot" aria-hidden="true" />
      {words}
    </button>
  );
}
