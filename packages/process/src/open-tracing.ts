import { setTimeout as delay } from 'node:timers/promises';
import { ProxyTracer, trace, type Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { beginSpan, NO_SPAN, type ActiveSpan, type SpanToBegin } from './span.ts';

/** Landline's name among the tracers of a process. */
const TRACER = 'landline';

/** How long a process that leaves waits until the SDK has sent its last spans, in milliseconds. A supervisor kills it after ten seconds. */
const FLUSH_LIMIT_MS = 1_000;

/** Makes spans by the SDK that the user has loaded. No fault of it reaches the caller: an event never fails because of its span. */
export interface Tracing {
  /** Begins a span; a trace of its own begins with it. */
  begin(span: SpanToBegin): ActiveSpan;
  /** Has the SDK send what it holds. Resolves within a second, and never rejects. */
  flush(): Promise<void>;
}

/**
 * Finds the OpenTelemetry SDK that was loaded before this process began its work (`node --import`), and logs that it is there. Of what the
 * SDK throws, the first error is logged.
 *
 * @returns  Undefined where there is no SDK: callers then skip all work for traces.
 */
export function openTracing(logger: Pick<Logger, 'info' | 'warn'>): Tracing | undefined {
  const tracer = trace.getTracer(TRACER);
  // This is what the API itself gives while no SDK is registered. Its spans would do nothing, but cost their attributes.
  if (tracer instanceof ProxyTracer) return undefined;
  logger.info('An OpenTelemetry SDK is loaded: it gets the traces of this process');
  const onError = (err: unknown) =>
    logger.warn({ err }, 'The OpenTelemetry SDK has failed, and events go on without their spans');
  return { begin: beginWith(tracer, onError), flush };
}

function beginWith(tracer: Tracer, onError: (error: unknown) => void): Tracing['begin'] {
  let hasFailed = false;
  const failed = (error: unknown) => {
    if (!hasFailed) onError(error);
    hasFailed = true;
  };
  return (span) => {
    try {
      return beginSpan(tracer, span, failed);
    } catch (error) {
      failed(error);
      return NO_SPAN;
    }
  };
}

async function flush(): Promise<void> {
  const over = new AbortController();
  const late = delay(FLUSH_LIMIT_MS, undefined, over).catch(() => undefined);
  // An SDK that fails has told its own log.
  await Promise.race([forceFlush().catch(() => undefined), late]);
  over.abort();
}

/** The API has no flush. SDKs have it at their provider, which the API's own provider may hide. */
async function forceFlush(): Promise<void> {
  const provider: unknown = trace.getTracerProvider();
  const own = callIfThere(provider, 'getDelegate') ?? provider;
  await callIfThere(own, 'forceFlush');
}

function callIfThere(target: unknown, name: string): unknown {
  if (typeof target !== 'object' || target === null) return undefined;
  const method: unknown = Reflect.get(target, name);
  return typeof method === 'function' ? Reflect.apply(method, target, []) : undefined;
}
