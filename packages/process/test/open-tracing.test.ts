import { ROOT_CONTEXT, trace, type ContextManager } from '@opentelemetry/api';
import { AlwaysOffSampler, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { expect, test } from 'vitest';
import { recordSpans } from '../../../test/support/recorded-spans.ts';
import { openTracing } from '../src/open-tracing.ts';

const SILENT = { info: () => undefined, warn: () => undefined };

/** Another request's, by its number. */
const traceparent = (n: number) => `00-${'a'.repeat(32)}-${n.toString(16).padStart(16, '0')}-01`;
const aSpan = (links = 0) => ({
  name: 'process things',
  kind: 'consumer' as const,
  attributes: { 'messaging.system': 'bullmq' },
  links: Array.from({ length: links }, (_, i) => ({ traceparent: traceparent(i + 1), attributes: { n: i } })),
});

test('without an SDK there are no traces', () => {
  expect(openTracing(SILENT)).toBeUndefined();
});

test('a span is the first of its trace, also within another one, and has what is told of it', async () => {
  const { tracing, spans, log } = recordSpans();
  expect(log).toEqual(['An OpenTelemetry SDK is loaded: it gets the traces of this process']);
  const outer = tracing.begin({ ...aSpan(), kind: 'server', name: 'outer', beganAt: performance.now() - 500 });
  await outer.run(async () => tracing.begin(aSpan(2)).end({ attributes: { found: 3 }, error: '40P01' }));
  outer.end({ attributes: {} });
  const [inner, ended] = spans();
  expect(inner).toMatchObject({
    name: 'process things',
    kind: 'CONSUMER',
    parentSpanId: undefined,
    isError: true,
    attributes: { 'messaging.system': 'bullmq', found: 3, 'error.type': '40P01' },
    links: [
      { traceId: 'a'.repeat(32), spanId: '0000000000000001', attributes: { n: 0 } },
      { traceId: 'a'.repeat(32), spanId: '0000000000000002', attributes: { n: 1 } },
    ],
  });
  expect(ended).toMatchObject({ name: 'outer', kind: 'SERVER', isError: false });
  expect(ended?.traceId).not.toBe(inner?.traceId);
  expect(outer.traceparent).toBe(`00-${ended?.traceId}-${ended?.spanId}-01`);
  expect((ended?.endMs ?? 0) - (ended?.startMs ?? 0)).toBeGreaterThanOrEqual(500);
});

test('spans that a library makes meanwhile are below it', async () => {
  const { tracing, spans } = recordSpans();
  const span = tracing.begin(aSpan());
  await span.run(async () => {
    await Promise.resolve();
    trace.getTracer('a library').startSpan('pg.query').end();
  });
  span.end({ attributes: {} });
  const [query, own] = spans();
  expect(query).toMatchObject({ name: 'pg.query', traceId: own?.traceId, parentSpanId: own?.spanId });
});

test.each([
  [0, []],
  [128, [128]],
  [129, [128, 1]],
  [1000, [128, 128, 128, 128, 128, 128, 128, 104]],
])('%i links are all there: what one span may not have is on spans below it', (links, counts) => {
  const { tracing, spans } = recordSpans();
  tracing.begin(aSpan(links)).end({ attributes: {} });
  const all = spans();
  const [own] = all.filter(({ parentSpanId }) => parentSpanId === undefined);
  const below = all.filter((span) => span !== own);
  expect([own, ...below].flatMap((span) => (span?.links.length ? [span.links.length] : []))).toEqual(counts);
  expect(new Set(below.map(({ name, traceId, parentSpanId }) => `${name} ${traceId} ${parentSpanId}`)).size).toBe(
    below.length > 0 ? 1 : 0,
  );
  expect(below.every(({ parentSpanId }) => parentSpanId === own?.spanId)).toBe(true);
  expect(new Set(all.flatMap((span) => span.links.map(({ spanId }) => spanId))).size).toBe(links);
  expect(all.map(({ droppedLinks }) => droppedLinks)).toEqual(all.map(() => 0));
});

test('a link to what names no span is left out', () => {
  const { tracing, spans } = recordSpans();
  const links = [{ traceparent: 'anything' }, { traceparent: traceparent(7) }];
  tracing.begin({ ...aSpan(), links }).end({ attributes: {} });
  expect(spans()[0]?.links.map(({ spanId }) => spanId)).toEqual(['0000000000000007']);
});

const BROKEN: SpanProcessor = {
  onStart: () => {
    throw new Error('broken at the start');
  },
  onEnd: () => undefined,
  forceFlush: () => Promise.reject(new Error('broken flush')),
  shutdown: () => Promise.resolve(),
};

test.each([
  ['begins', BROKEN],
  [
    'ends',
    {
      ...BROKEN,
      onStart: () => undefined,
      onEnd: () => {
        throw new Error('broken at the end');
      },
    },
  ],
])('an SDK that throws where a span %s fails nothing, and is told once', async (_, broken) => {
  const { tracing, log } = recordSpans({ processors: [broken] });
  for (let i = 0; i < 3; i++) {
    const span = tracing.begin(aSpan());
    expect(await span.run(async () => 'done')).toBe('done');
    span.end({ attributes: {} });
  }
  await tracing.flush();
  expect(log.slice(1)).toEqual(['The OpenTelemetry SDK has failed, and events go on without their spans']);
});

const throwing = () => {
  throw new Error('broken context');
};

test.each<[string, ContextManager['with']]>([
  ['before', throwing],
  [
    'after',
    (_, work, self, ...rest) => {
      Reflect.apply(work, self, rest);
      return throwing();
    },
  ],
])('work is done once also where the context manager throws %s it', async (_, within) => {
  const { tracing, log } = recordSpans({
    contextManager: {
      active: () => ROOT_CONTEXT,
      with: within,
      bind: (_context, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    },
  });
  let runs = 0;
  const span = tracing.begin(aSpan());
  expect(await span.run(async () => ++runs)).toBe(1);
  await expect(span.run(() => Promise.reject(new Error('of the work')))).rejects.toThrow('of the work');
  expect([runs, log.length]).toEqual([1, 2]);
});

test('an SDK that records no span of this trace gives it no name', () => {
  const { tracing, spans } = recordSpans({ sampler: new AlwaysOffSampler() });
  const span = tracing.begin(aSpan(200));
  span.end({ attributes: {} });
  expect([span.traceparent, spans()]).toEqual([undefined, []]);
});

test('a process that leaves has the SDK send what it holds', async () => {
  let flushed = 0;
  const counting: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(void flushed++),
    shutdown: () => Promise.resolve(),
  };
  const { tracing } = recordSpans({ processors: [counting] });
  await tracing.flush();
  expect(flushed).toBe(1);
});

test('a process that leaves does not wait for an SDK that cannot send', async () => {
  const stuck: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: () => new Promise(() => undefined),
    shutdown: () => Promise.resolve(),
  };
  const { tracing } = recordSpans({ processors: [stuck] });
  await expect(tracing.flush()).resolves.toBeUndefined();
});
