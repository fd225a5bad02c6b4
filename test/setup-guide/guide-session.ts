import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beginSession, type Session } from '../typing/session.ts';
import { startProvider, type StandIn } from '../support/provider/start-provider.ts';
import type { Typed } from '../typing/terminal.ts';
import type { Outcome } from './outcomes.ts';
import { startProxy, type Proxy } from './proxy.ts';

/** A reader of the guides, whose public host is a proxy on this machine, and whose ElevenLabs is a stand-in. */
export interface GuideSession {
  /** Does one step of a guide, and waits until the first terminal shows the step's logs. */
  type: (outcome: Outcome) => Promise<Typed>;
  /** Stops everything that the session has started. */
  end: () => Promise<void>;
}

/**
 * Begins a session, and starts a proxy in place of the public host, and a stand-in of ElevenLabs' API.
 *
 * @param routes  The routes of the proxy: ports of the guides, by path.
 */
export async function beginGuideSession(routes: ReadonlyMap<string, number>): Promise<GuideSession> {
  const session = await beginSession();
  const proxy = await startProxy(new Map([...routes].map(([path, port]) => [path, session.ports.get(port) ?? 0])));
  const provider = await startProvider();
  return {
    type: (outcome) => typeAgain(outcome, { session, proxy, provider }),
    async end() {
      await session.end();
      await proxy.close();
      await provider.close();
    },
  };
}

interface Surroundings {
  session: Session;
  proxy: Proxy;
  provider: StandIn;
}

/** How often a command is typed at most. */
const MOST_TIMES = 3;

/** Types a step, again where its output says so. */
async function typeAgain(outcome: Outcome, surroundings: Surroundings): Promise<Typed> {
  for (let times = 1; ; times++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const typed = await type(outcome, surroundings);
    if (times === MOST_TIMES || outcome.again?.test(typed.output) !== true) return typed;
  }
}

async function type(outcome: Outcome, { session, proxy, provider }: Surroundings): Promise<Typed> {
  const { kind, text } = outcome;
  if (kind === 'dotenv' && text.endsWith('sk_…')) {
    await setVariable(session.clone, `ELEVENLABS_API_URL=${provider.url}`);
    return setVariable(session.clone, text.replace('sk_…', provider.apiKey));
  }
  if (kind === 'dotenv') return setVariable(session.clone, text);
  const command = kind === 'sql' ? `npm run landline -- sql "${text}"` : text;
  return session.type(outcome.isAsTyped === true ? command : onThisMachine(command, session, proxy), outcome);
}

/** Returns a command of the guides with the addresses of this session. */
function onThisMachine(command: string, { repository, withPorts }: Session, proxy: Proxy): string {
  return withPorts(command.replaceAll('https://git.example.com/landline.git', repository)).replaceAll(
    'https://calls.example.com',
    proxy.url,
  );
}

/** Writes a line of a guide into .env as a reader with an editor does: in place of the line that is there. */
async function setVariable(clone: string, line: string): Promise<Typed> {
  const file = join(clone, '.env');
  const name = line.split('=', 1).join('');
  const before = await readFile(file, 'utf8');
  // A secret in the form of those that ElevenLabs shows.
  const written = line.replace('wsec_…', `wsec_${randomBytes(32).toString('hex')}`);
  const place = new RegExp(`^(# )?${name}=.*$`, 'm');
  const after = place.test(before) ? before.replace(place, () => written) : `${before}\n${written}\n`;
  await writeFile(file, after);
  return { exit: 0, output: '' };
}
