import { setTimeout as wait } from 'node:timers/promises';
import { anyOf, type Fault } from './fault.ts';
import { LINES, type Line, type Link } from './link.ts';
import type { SystemUnderTest } from './system-under-test.ts';

const DELAY_MS = 150;
const LASTS_MS = 3000;
/** How long either end is left to notice by itself, in ms: the sender waits 6 s for an answer. */
const NOTICE_MS = 7000;

/** Does something to every link of a line while it lasts; to one of the sender's, for without both there is nothing to see. */
function whole(
  line: Line,
  { begin, end }: { begin: (link: Link) => void; end: (link: Link) => void },
): Fault['inject'] {
  return async (system) => {
    const links = line === 'sender-receiver' ? [anyOf(system, system.links[line])] : system.links[line];
    links.forEach(begin);
    await wait(LASTS_MS);
    links.forEach(end);
  };
}

function faultsOf(line: Line): Fault[] {
  return [
    {
      name: `${line}: delays`,
      how: `everything comes ${DELAY_MS} ms later, for 3 s`,
      inject: whole(line, { begin: (link) => link.delay(DELAY_MS), end: (link) => link.delay(0) }),
    },
    {
      name: `${line}: drops`,
      how: 'nothing passes for 3 s and nobody is told; then all of it comes',
      inject: whole(line, { begin: (link) => link.hold(), end: (link) => link.release() }),
    },
    {
      name: `${line}: resets`,
      how: 'every connection is reset, and new ones for 3 s',
      inject: whole(line, {
        begin(link) {
          link.refuse(true);
          link.reset();
        },
        end: (link) => link.refuse(false),
      }),
    },
    {
      name: `${line}: half-open`,
      how: 'the far end of one process’ connections goes, and the near end is never told',
      // Of a statement that is never answered only its time-out of 35 s tells.
      isLong: line === 'worker-Postgres',
      async inject(system: SystemUnderTest) {
        anyOf(system, system.links[line]).halfOpen();
        await wait(NOTICE_MS);
      },
    },
  ];
}

/** Faults of the network between every two parts. */
export const NETWORK_FAULTS: readonly Fault[] = LINES.flatMap(faultsOf);
