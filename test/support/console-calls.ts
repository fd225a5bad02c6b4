/** A conversation with some facts; what is left out is that of an ordinary call. */
export interface Call {
  id: string;
  /** When it began, in unix seconds. */
  at: number;
  agent?: string;
  user?: string;
  number?: string;
  language?: string;
  title?: string;
  summary?: string;
  success?: 'success' | 'failure' | 'unknown';
  turns: readonly Turn[];
}

/** What somebody said; of a tool, what it was asked and what it answered. */
export interface Turn {
  role: 'agent' | 'user';
  message: string;
  /** Since the call began. */
  seconds: number;
  interrupted?: boolean;
  tool?: { name: string; parameters: Record<string, unknown>; result: string; isError?: boolean };
}

/** Returns the account of the whole call, as the provider sends it afterwards. */
export function transcriptBody(call: Call): Buffer {
  const last = call.turns.at(-1)?.seconds ?? 0;
  return bodyOf('post_call_transcription', call.at + last + 5, {
    conversation_id: call.id,
    agent_id: call.agent ?? 'agent_front_desk',
    user_id: call.user,
    status: 'done',
    transcript: call.turns.map(printed),
    metadata: {
      start_time_unix_secs: call.at,
      call_duration_secs: last + 3,
      cost: 120,
      main_language: call.language ?? 'en',
      termination_reason: 'Caller hung up',
      ...(call.number !== undefined && {
        phone_call: {
          direction: 'inbound',
          external_number: call.number,
          agent_number: '+12025550100',
          call_sid: `CA_${call.id}`,
        },
      }),
    },
    analysis: {
      call_successful: call.success ?? 'success',
      call_summary_title: call.title,
      transcript_summary: call.summary,
      evaluation_criteria_results: {
        polite: { criteria_id: 'polite', result: 'success', rationale: 'The agent greeted and thanked the caller.' },
      },
      data_collection_results: {
        wish: { data_collection_id: 'wish', value: 'a table', rationale: 'Said at the beginning.' },
      },
    },
  });
}

function printed({ tool, ...turn }: Turn, i: number): Record<string, unknown> {
  const id = `tool_${i}`;
  return {
    role: turn.role,
    message: turn.message,
    time_in_call_secs: turn.seconds,
    interrupted: turn.interrupted ?? false,
    tool_calls: tool ? [{ request_id: id, tool_name: tool.name, params_as_json: JSON.stringify(tool.parameters) }] : [],
    tool_results: tool
      ? [
          {
            request_id: id,
            tool_name: tool.name,
            result_value: tool.result,
            is_error: tool.isError ?? false,
            tool_latency_secs: 0.4,
          },
        ]
      : [],
  };
}

/** Returns the event that carries the recording of a call. */
export function audioBody({ id, at, agent }: Omit<Call, 'turns'>, audio: Buffer): Buffer {
  return bodyOf('post_call_audio', at + 1000, {
    conversation_id: id,
    agent_id: agent ?? 'agent_front_desk',
    full_audio: audio.toString('base64'),
  });
}

/** Returns a live event of a call that has begun. */
export function startedBody({ id, at, number, user, agent, language }: Omit<Call, 'turns'>): Buffer {
  return bodyOf('conversation.started', at, {
    conversation_id: id,
    agent_id: agent ?? 'agent_front_desk',
    user_id: user,
    channel: 'phone',
    language: language ?? 'en',
    caller_number: number,
  });
}

/** Returns a live message; `words` distinguishes it from others of the same conversation. */
export function messageBody(conversation: string, at: number, words: string, user?: string): Buffer {
  return bodyOf('conversation.message', at, {
    conversation_id: conversation,
    role: 'user',
    message: words,
    user_id: user,
    message_id: words,
  });
}

function bodyOf(type: string, at: number, data: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify({ type, event_timestamp: at, data }));
}

const SAMPLES_PER_SECOND = 3000;
const HEADER_BYTES = 44;
/** The middle of 8 bits without a sign. */
const SILENT = 128;

/** Returns a WAV file of silence: 8 bits, one channel, 3,000 samples a second, which is the least that browsers play. */
export function silence(seconds: number): Buffer {
  const dataBytes = seconds * SAMPLES_PER_SECOND;
  const wav = Buffer.alloc(HEADER_BYTES + dataBytes, SILENT);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16); // length of the format
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // channels
  wav.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  wav.writeUInt32LE(SAMPLES_PER_SECOND, 28); // bytes a second
  wav.writeUInt16LE(1, 32); // bytes a sample
  wav.writeUInt16LE(8, 34); // bits a sample
  wav.write('data', 36);
  wav.writeUInt32LE(dataBytes, 40);
  return wav;
}

const ARABIC = [
  ['أهلاً وسهلاً، كيف يمكنني مساعدتك اليوم؟', 'مرحباً، أريد حجز طاولة لأربعة أشخاص.'],
  ['في أي ساعة تفضلون الحضور؟', 'الساعة الثامنة مساءً من فضلك.'],
  ['هل لديكم طلب خاص؟', 'نعم، نريد طاولة بجانب النافذة.'],
  ['وجدت طاولة بجانب النافذة. هل تناسبكم؟', 'ممتاز، شكراً جزيلاً.'],
  ['باسم من أسجل الحجز؟', 'باسم ليلى حداد.'],
  ['هل يعاني أحدكم من حساسية تجاه طعام معين؟', 'نعم، ابني لا يأكل المكسرات.'],
  ['سأخبر المطبخ بذلك. هل هناك شيء آخر؟', 'هل يوجد موقف للسيارات؟'],
  ['نعم، خلف المطعم، وهو مجاني للضيوف.', 'رائع. وهل يمكن تغيير الموعد لاحقاً؟'],
] as const;

/** Returns a call in Arabic of so many turns, one every two seconds. Turn 6 calls a tool, and turn 20 is interrupted. */
export function arabicCall(facts: Omit<Call, 'turns' | 'language'>, turns: number): Call {
  return {
    ...facts,
    language: 'ar',
    turns: Array.from({ length: turns }, (_, i) => {
      const [agent, user] = ARABIC[Math.floor(i / 2) % ARABIC.length] ?? ARABIC[0];
      return {
        role: i % 2 === 0 ? 'agent' : 'user',
        message: i % 2 === 0 ? agent : user,
        seconds: i * 2,
        interrupted: i === 20,
        ...(i === 6 && {
          tool: { name: 'find_table', parameters: { guests: 4, at: '20:00' }, result: '{"table":"window 3"}' },
        }),
      };
    }),
  };
}
