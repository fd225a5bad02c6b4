import { PageHead } from '../parts/page-head.tsx';
import { Empty } from '../parts/states.tsx';

/** No page has this address. */
export function NotFound() {
  return (
    <div class="page">
      <PageHead title="No such page" />
      <Empty title="Nothing is here">
        <a href="/">Go to the overview</a>
      </Empty>
    </div>
  );
}

/** The page's file was not given: the session has ended. The banner says so as well. */
export function SignedOut() {
  return (
    <div class="page">
      <PageHead title="Not signed in" />
      <Empty title="This page could not be loaded">
        It comes once you are signed in.{' '}
        <button type="button" class="button" onClick={() => location.reload()}>
          Load anew
        </button>
      </Empty>
    </div>
  );
}

/** The page's file is gone: the console was updated since it was loaded. */
export function Outdated() {
  return (
    <div class="page">
      <PageHead title="Load this page anew" />
      <Empty title="This page could not be loaded">
        The dashboard was updated or did not answer.{' '}
        <button type="button" class="button" onClick={() => location.reload()}>
          Load anew
        </button>
      </Empty>
    </div>
  );
}
