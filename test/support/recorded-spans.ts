import { openTracing, type Tracing } from '@landline/process';
import { context, propagation, SpanKind, SpanStatusCode, trace, type ContextManager } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { onTestFinished } from 'vitest';

/** A span as a test reads it. */
export interface RecordedSpan {
  name: string;
  kind: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  isError: boolean;
  attributes: ReadableSpan['attributes'];
  links: { spanId: string; traceId: string; attributes: ReadableSpan['attributes'] }[];
  droppedLinks: number;
  startMs: number;
  endMs: number;
  /** All that the span tells, as text. */
  text: string;
}

/** The traces of this process, with the SDK of OpenTelemetry. */
export interface Recording {
  tracing: Tracing;
  /** Returns the spans that have ended, in the order of their ends. */
  spans: () => RecordedSpan[];
  /** What was logged when the SDK was found, and of its faults. */
  log: string[];
}

/** How an SDK differs from one that records everything and works. */
export interface SdkOptions {
  /** Get the spans before they are recorded. */
  processors?: readonly SpanProcessor[];
  sampler?: Sampler;
  contextManager?: ContextManager;
}

/** Loads the SDK into this process until the test ends. */
export function recordSpans({ processors = [], sampler, contextManager }: SdkOptions = {}): Recording {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    ...(sampler && { sampler }),
    spanProcessors: [...processors, new SimpleSpanProcessor(exporter)],
  });
  provider.register(contextManager && { contextManager });
  onTestFinished(async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    await provider.shutdown();
  });
  const log: string[] = [];
  const note = (...parts: unknown[]) => void log.push(String(parts.at(-1)));
  const tracing = openTracing({ info: note, warn: note });
  if (tracing === undefined) throw new Error('The SDK is not found.');
  return { tracing, log, spans: () => exporter.getFinishedSpans().map(read) };
}

function read(span: ReadableSpan): RecordedSpan {
  const { name, attributes, events, resource } = span;
  const links = span.links.map((link) => ({
    traceId: link.context.traceId,
    spanId: link.context.spanId,
    attributes: link.attributes ?? {},
  }));
  return {
    name,
    kind: SpanKind[span.kind],
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    isError: span.status.code === SpanStatusCode.ERROR,
    attributes,
    links,
    droppedLinks: span.droppedLinksCount,
    startMs: toMs(span.startTime),
    endMs: toMs(span.endTime),
    text: JSON.stringify({ name, attributes, events, links, status: span.status, resource: resource.attributes }),
  };
}

function toMs([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1000 + nanos / 1e6;
}
