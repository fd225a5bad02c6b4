import type { AnyComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import lazy from 'preact-iso/lazy';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso/router';
import { asApiError, get } from './api/client.ts';
import { KeyHelp } from './keys/key-help.tsx';
import { PendingKeys } from './keys/pending-keys.tsx';
import { onKeydown } from './keys/use-keys.ts';
import { startClock } from './parts/clock.ts';
import { Banner } from './shell/banner.tsx';
import { Navigation } from './shell/navigation.tsx';
import { NotFound, Outdated, SignedOut } from './shell/not-found.tsx';
import { PageBoundary } from './shell/page-boundary.tsx';
import { useAppKeys } from './shell/use-app-keys.ts';

/** Links that the browser follows itself: Bull Board, the API, and the end of the session. */
const OWN_PAGES = /^(\/(?!(queues|api|metrics|sign-out)(\/|\?|$))|\?)/;

/** How long it may take to say whether there is a session, in milliseconds. */
const SESSION_TIMEOUT_MS = 5_000;

/** Loads a page when it is first shown. */
function page(load: () => Promise<AnyComponent>) {
  return lazy(() => load().catch(insteadOfPage));
}

/** Tells why a page's file did not come: without a session no file is given; else it may be gone, as the console was updated. */
async function insteadOfPage(): Promise<AnyComponent> {
  const status = await get('/session', { timeoutMs: SESSION_TIMEOUT_MS }).then(
    () => 200,
    (error: unknown) => asApiError(error).status,
  );
  return status === 401 ? SignedOut : Outdated;
}

const Overview = page(() => import('./overview/overview-page.tsx').then((m) => m.OverviewPage));
const Conversations = page(() => import('./conversations/conversations-page.tsx').then((m) => m.ConversationsPage));
const Conversation = page(() => import('./conversations/conversation-page.tsx').then((m) => m.ConversationPage));
const Events = page(() => import('./events/events-page.tsx').then((m) => m.EventsPage));
const Failures = page(() => import('./failures/failures-page.tsx').then((m) => m.FailuresPage));
const Rejected = page(() => import('./rejected/rejected-page.tsx').then((m) => m.RejectedPage));
const Operations = page(() => import('./operations/operations-page.tsx').then((m) => m.OperationsPage));
const Provider = page(() => import('./provider/provider-page.tsx').then((m) => m.ProviderPage));

/** After a change of the page, the keyboard and a screen reader go on in the new one. */
function focusMain(): void {
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** The console: navigation, the page of the address, and what holds everywhere. */
export function App() {
  useEffect(startClock, []);
  useEffect(() => {
    document.addEventListener('keydown', onKeydown);
    return () => document.removeEventListener('keydown', onKeydown);
  }, []);
  return (
    <LocationProvider scope={OWN_PAGES}>
      <Shell />
    </LocationProvider>
  );
}

/** What stands around each page. */
function Shell() {
  const [hasHelp, setHelp] = useState(false);
  const { path } = useLocation();
  useAppKeys(() => setHelp(true));
  return (
    <div class="shell">
      <a class="skip" href="#main">
        To the content
      </a>
      <Navigation onHelp={() => setHelp(true)} />
      <main id="main" class="main" tabIndex={-1}>
        <Banner />
        <PageBoundary path={path}>
          <Router onRouteChange={focusMain}>
            <Route path="/" component={Overview} />
            <Route path="/conversations" component={Conversations} />
            <Route path="/conversations/:id" component={Conversation} />
            <Route path="/events" component={Events} />
            <Route path="/failures" component={Failures} />
            <Route path="/rejected" component={Rejected} />
            <Route path="/operations" component={Operations} />
            <Route path="/provider" component={Provider} />
            <Route default component={NotFound} />
          </Router>
        </PageBoundary>
      </main>
      <PendingKeys />
      {hasHelp && <KeyHelp onClose={() => setHelp(false)} />}
    </div>
  );
}
