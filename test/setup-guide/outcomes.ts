import type { Step } from './read-guide.ts';

/** The outcome that a typed step must have. */
export interface Outcome extends Step {
  /** The exit code; 0 unless given. */
  exit?: number;
  /** Lines that the command prints. */
  prints?: readonly RegExp[];
  /** Lines that the first terminal shows because of the step. */
  logs?: readonly RegExp[];
  /** What the output has where the machine stood still: then the reader types the command again. */
  again?: RegExp;
  /** The whole output, as JSON. */
  json?: unknown;
  /** Whether the reader opens a new terminal for this command. */
  opensTerminal?: boolean;
  /** Whether the command is typed as it stands: no address in it is replaced by one of this machine. */
  isAsTyped?: boolean;
}

type Expected = Omit<Outcome, keyof Step>;

const sh = (text: string, expected: Expected = {}): Outcome => ({ kind: 'sh', text, ...expected });
const sql = (text: string, expected: Expected): Outcome => ({ kind: 'sql', text, ...expected });
const dotenv = (text: string): Outcome => ({ kind: 'dotenv', text });

const START = sh('npm start', { prints: [/^Landline is up\.$/m, /^ {2}Webhooks {4}http:\/\/127\.0\.0\.1:\d+\/api/m] });

const COMMAND_FILE = `cat > command.json <<END
{
  "type": "agent.action",
  "timestamp": $t,
  "data": {
    "conversation_id": "conv_by_hand",
    "user_id": "user_42",
    "action_id": "action_1",
    "action": "call_back",
    "parameters": {"when": "tomorrow at nine"},
    "status": "requested",
    "user_profile": {
      "language": "ar-EG",
      "personality": {"tone": "warm", "pace": "slow"},
      "customer_name": "Salma"
    }
  }
}
END`;

const CONTEXT = {
  webhook_url: 'https://calls.example.com/api/elevenlabs/webhook',
  supported_languages: ['ar', 'en', 'fr', 'es', 'de', 'it', 'pt', 'ru', 'zh', 'ja', 'ko'],
  supported_dialects: {
    ar: ['eg', 'sa', 'ae', 'jo', 'lb', 'ma', 'tn', 'dz', 'iq', 'sy', 'ye', 'om', 'kw', 'qa', 'bh'],
    en: ['us', 'uk', 'au', 'ca', 'nz', 'ie'],
    es: ['es', 'mx', 'ar', 'co', 'cl', 'pe', 've'],
  },
  twilio_enabled: true,
  command_saving_enabled: true,
  personality_awareness: true,
};

const SECRET = sh(`secret=$(sed -n 's/^ELEVENLABS_WEBHOOK_SECRET=//p' .env | cut -d , -f 1)`);
const SIGNATURE = sh(
  `v0=$( (printf '%s.' "$t"; cat command.json) | openssl dgst -sha256 -hmac "$secret" -r | cut -c 1-64)`,
);

/** Steps 1 to 3: the code, the secret and the webhook. */
const CONNECTING: readonly Outcome[] = [
  sh('git clone https://git.example.com/landline.git landline'),
  sh('cd landline'),
  { ...START, prints: [/^Made \.env with a random webhook secret/m, /^Starting Redis/m, ...(START.prints ?? [])] },
  sh('cd landline', { opensTerminal: true }),
  sh('ls -l .env', { prints: [/^-rw-------/] }),
  sh(`grep -c '^ELEVENLABS_WEBHOOK_SECRET=wsec_' .env`, { prints: [/^1$/m] }),
  dotenv('HOST=127.0.0.1'),
  dotenv('ELEVENLABS_WEBHOOK_SECRET=wsec_…'),
  dotenv('ELEVENLABS_API_KEY=sk_…'),
  dotenv('PUBLIC_URL=https://calls.example.com'),
  START,
  sh('curl -i https://calls.example.com/api/elevenlabs/webhook', {
    prints: [/^HTTP\/\S+ 405 /m, /^allow: POST\r?$/im],
  }),
  sh('curl -i https://calls.example.com/health/ready', { prints: [/^HTTP\/\S+ 404 /m] }),
  sh('npm run landline -- provider', {
    prints: [
      /^✓ The workspace sends to "Landline"\.$/m,
      /^! ElevenLabs does not tell whether it repeats/m,
      // No name of example.com leads to this machine, so PUBLIC_URL cannot be tried.
      /^\? https:\/\/calls\.example\.com\/api\/elevenlabs\/webhook could not be tried /m,
      /^No fault\./m,
    ],
  }),
  sh('npm run landline -- provider --enable-retries --yes', {
    prints: [/^ {2}"Landline" \(https:\/\/calls\.example\.com\/api\/elevenlabs\/webhook\)$/m, /^Switched on\./m],
  }),
];

/** Step 4: the test. */
const TESTING: readonly Outcome[] = [
  sh('npm run landline -- send conversation.started', {
    prints: [/^1 of 1 accepted by /m],
    logs: [/📥 ElevenLabs Webhook received: conversation\.started/, /✅ Conversation started: conv_/],
  }),
  sh('npm run landline -- send post_call_transcription --url https://calls.example.com/api/elevenlabs/webhook', {
    prints: [/^1 of 1 accepted by /m],
    logs: [/📥 ElevenLabs Webhook received: post_call_transcription/, /✅ Transcript stored: conv_/],
  }),
  sh(`curl -i -X POST -d '{}' https://calls.example.com/api/elevenlabs/webhook`, {
    prints: [/^HTTP\/\S+ 401 /m, /"code":"signature_missing"/],
  }),
  sh('npm run landline -- reconcile --plan', {
    prints: [
      /^\d+ conversations? (?:was|were) compared with ElevenLabs\.$/m,
      /^ +0 {2}missing: no transcript of them came/m,
    ],
  }),
  sh('t=$(date +%s)'),
  sh(COMMAND_FILE),
  SECRET,
  SIGNATURE,
  sh(
    `curl -i -H "ElevenLabs-Signature: t=$t,v0=$v0" --data-binary @command.json https://calls.example.com/api/elevenlabs/webhook`,
    {
      prints: [/^HTTP\/\S+ 200 /m, /^\{"status":"accepted"\}/m],
      logs: [/📥 ElevenLabs Webhook received: agent\.action/, /✅ Command stored: conv_by_hand/],
    },
  ),
];

/** Steps 5 and 6: the agent context, and the database, which has the three events of step 4. */
const LOOKING: readonly Outcome[] = [
  sh('npm run --silent landline -- context --url https://calls.example.com', { json: CONTEXT, isAsTyped: true }),
  sh('npm run landline -- sql "SELECT count(*) AS calls FROM conversations"', {
    prints: [/^ calls\n-+\n 3\n\(1 row\)/m],
  }),
  sql('SELECT id, status, language, dialect, summary FROM conversations ORDER BY started_at DESC LIMIT 10', {
    prints: [
      /^\(3 rows\)$/m,
      /in_progress +\| ar +\| eg/,
      /done +\| en +\| +\| The caller asked for the opening hours\./,
      /conv_by_hand/,
    ],
  }),
  sql('SELECT conversation_id, role, content FROM conversation_messages ORDER BY created_at DESC LIMIT 10', {
    prints: [/agent +\| We open at nine\./, /user +\| When does the shop open tomorrow\?/],
  }),
  sql('SELECT user_id, command, parameters, status FROM user_commands ORDER BY created_at DESC LIMIT 10', {
    prints: [/^ user_42 +\| call_back +\| \{"when":"tomorrow at nine"\} +\| requested$/m, /^\(1 row\)$/m],
  }),
  sql(
    'SELECT user_id, phone_number, language, dialect, personality, attributes FROM user_profiles ORDER BY last_seen_at DESC LIMIT 10',
    {
      prints: [
        /user_42/,
        /\+12025550123/,
        /\{"pace":"slow","tone":"warm"\}/,
        /\{"customer_name":"Salma"\}/,
        /^\(1 row\)$/m,
      ],
    },
  ),
  sql('SELECT received_at, type, outcome FROM webhook_events ORDER BY received_at DESC LIMIT 10', {
    prints: [
      /agent\.action +\| applied/,
      /post_call_transcription +\| applied/,
      /conversation\.started +\| applied/,
      /^\(3 rows\)$/m,
    ],
  }),
];

/** Step 7: who is calling. */
const RECOGNISING: readonly Outcome[] = [
  sh(`sed -n 's/^INITIATION_TOKEN=//p' .env`, { prints: [/^\S{16,}$/m] }),
  sh('openssl rand -hex 24', { prints: [/^[0-9a-f]{48}$/m] }),
  dotenv(`INITIATION_DEFAULTS='{"customer_name": "", "opening_hours": "9 to 18"}'`),
  START,
  sh('npm run --silent landline -- send conversation-initiation --caller +12025550123', {
    // An answer that took too long has the defaults, also for a caller who is known.
    again: /"caller_known": ?false/,
    prints: [
      /"type": ?"conversation_initiation_client_data"/,
      /"caller_known": ?true/,
      /"caller_language": ?"ar"/,
      /"caller_dialect": ?"eg"/,
      /"caller_personality": ?"pace: slow; tone: warm"/,
      /"caller_calls": ?[1-9]/,
      /"caller_last_summary": ?"The caller asked for the opening hours\."/,
      /"caller_last_call_at": ?"\d{4}-\d\d-\d\dT/,
      /"customer_name": ?"Salma"/,
      /"opening_hours": ?"9 to 18"/,
    ],
  }),
  sh('npm run --silent landline -- send conversation-initiation --caller +12025550199', {
    prints: [
      /"caller_known": ?false/,
      /"caller_language": ?""/,
      /"caller_dialect": ?""/,
      /"caller_personality": ?""/,
      /"caller_calls": ?0/,
      /"caller_last_summary": ?""/,
      /"caller_last_call_at": ?""/,
      /"customer_name": ?""/,
      /"opening_hours": ?"9 to 18"/,
    ],
  }),
  sh('curl -i https://calls.example.com/api/elevenlabs/conversation-initiation', {
    prints: [/^HTTP\/\S+ 405 /m, /^allow: POST\r?$/im],
  }),
  sh(`curl -i -X POST -d '{}' https://calls.example.com/api/elevenlabs/conversation-initiation`, {
    prints: [/^HTTP\/\S+ 401 /m, /"code": ?"token_missing"/],
  }),
];

/** The last steps: trouble-shooting and updates. */
const KEEPING: readonly Outcome[] = [
  sh('curl http://127.0.0.1:3004/health/ready', { prints: [/"status": ?"ready"/, /"redis": ?/, /"journal": ?/] }),
  sh('curl http://127.0.0.1:3002/health/ready', { prints: [/"status": ?"ready"/, /"postgres": ?"ready"/] }),
  sh('curl http://127.0.0.1:3003/health/ready', { prints: [/"status": ?"ready"/, /"database": ?"up"/] }),
  sh('npm run landline -- migrate', { prints: [/^The tables are up to date\.$/m] }),
  sql(
    `SELECT received_at, type, conversation_id, error FROM webhook_events WHERE outcome = 'dead' ORDER BY received_at DESC LIMIT 10`,
    { prints: [/^\(0 rows\)$/m] },
  ),
  sh('git pull', { prints: [/^Already up to date\.$/m] }),
  START,
];

/** The outcome of each step of the guides, in their order. */
export const OUTCOMES: readonly Outcome[] = [...CONNECTING, ...TESTING, ...LOOKING, ...RECOGNISING, ...KEEPING];
