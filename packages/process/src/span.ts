import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Tracer,
} from '@opentelemetry/api';
import { readTraceparent, writeTraceparent } from './traceparent.ts';

/** The most links of one span: OpenTelemetry's default, and SDKs drop those beyond it. */
export const MAX_LINKS = 128;

/** What is told of a span. It may hold nothing of a person, and no part of a body. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** A span of another trace that this one has to do with. */
export interface SpanLink {
  /** As W3C writes it. What is none is left out. */
  traceparent: string;
  attributes?: SpanAttributes;
}

/** A span to begin. */
export interface SpanToBegin {
  name: string;
  kind: 'server' | 'consumer';
  attributes: SpanAttributes;
  /** More than 128 are spread over spans below this one. */
  links: readonly SpanLink[];
  /** When it began, by `performance.now()`; now by default. */
  beganAt?: number;
}

/** A span that has begun. */
export interface ActiveSpan {
  /** Names the span, as W3C writes it; undefined where the SDK does not record it. */
  readonly traceparent: string | undefined;
  /** Runs work within the span: spans that instrumented libraries make meanwhile are below it. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the span. With an error it has failed; the error is a short code and no message, because messages may quote an event. */
  end(result: { attributes: SpanAttributes; error?: string }): void;
}

/** In place of a span that could not be begun. */
export const NO_SPAN: ActiveSpan = { traceparent: undefined, run: (work) => work(), end: () => undefined };

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;

/**
 * Begins a span that is the first of its trace.
 *
 * @param onError  Called with what the SDK throws later.
 * @throws         What the SDK throws now.
 */
export function beginSpan(tracer: Tracer, span: SpanToBegin, onError: (error: unknown) => void): ActiveSpan {
  const { name, kind, attributes, beganAt = performance.now() } = span;
  const startTime = Date.now() - (performance.now() - beganAt);
  const [links = [], ...others] = chunksOf(span.links.flatMap(linkOf));
  const begun = tracer.startSpan(name, { kind: KINDS[kind], attributes, links, startTime }, ROOT_CONTEXT);
  const within = trace.setSpan(ROOT_CONTEXT, begun);
  const below = others.map((more) => tracer.startSpan(`${name} (more links)`, { links: more, startTime }, within));
  return {
    traceparent: writeTraceparent(begun.spanContext()),
    run: (work) => runWithin(within, work, onError),
    end({ attributes: found, error }) {
      try {
        begun.setAttributes(error === undefined ? found : { ...found, 'error.type': error });
        if (error !== undefined) begun.setStatus({ code: SpanStatusCode.ERROR });
        // A duration by the clock that nobody sets.
        const endTime = startTime + performance.now() - beganAt;
        for (const each of [...below, begun]) each.end(endTime);
      } catch (fault) {
        onError(fault);
      }
    },
  };
}

/** Runs work once, also where the SDK's context manager throws before it or after it. */
function runWithin<T>(within: Context, work: () => Promise<T>, onError: (error: unknown) => void): Promise<T> {
  let running: Promise<T> | undefined;
  // What the work itself throws is a rejection, and no fault of the SDK.
  const runOnce = () => (running ??= (async () => work())());
  try {
    void context.with(within, runOnce);
  } catch (fault) {
    onError(fault);
  }
  return runOnce();
}

function linkOf({ traceparent, attributes }: SpanLink): Link[] {
  const linked = readTraceparent(traceparent);
  return linked === undefined ? [] : [{ context: linked, ...(attributes && { attributes }) }];
}

function chunksOf(links: readonly Link[]): Link[][] {
  const count = Math.ceil(links.length / MAX_LINKS);
  return Array.from({ length: count }, (_, i) => links.slice(i * MAX_LINKS, (i + 1) * MAX_LINKS));
}
