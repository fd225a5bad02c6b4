import type { Overview } from '../../src/api/contract/overview.ts';

/** What needs a person, the worst first, each a link to where it is mended. */
export function AttentionList({ overview }: { overview: Overview }) {
  const { attention: items, redis, postgres } = overview;
  const sorted = items.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  return (
    <section class="overview-attention" aria-labelledby="attention">
      <h2 id="attention">
        Needs attention {items.length > 0 && <span class="attention-count number">{items.length}</span>}
      </h2>
      {items.length === 0 && <Quiet isComplete={redis.ok && postgres.ok} />}
      {items.length > 0 && (
        <ul class="attention" aria-labelledby="attention">
          {sorted.map((item) => (
            <li key={item.code + item.href}>
              <a href={item.href} class={`attention-${item.severity}`}>
                <span class="attention-mark" aria-hidden="true" />
                <span class="attention-text">
                  <span class="visually-hidden">{item.severity === 'error' ? 'Error: ' : 'Warning: '}</span>
                  {item.text}
                </span>
                <span class="attention-go" aria-hidden="true">
                  →
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {!postgres.ok && (
        <p class="attention-note">
          <strong>Postgres is away.</strong> What else needs attention shows when it answers.
        </p>
      )}
    </section>
  );
}

/** Nothing needs a person, as far as can be told. */
function Quiet({ isComplete }: { isComplete: boolean }) {
  return (
    <p class="attention-none">
      {isComplete ? 'Nothing. The line is well.' : 'Nothing that can be seen from here while a server is away.'}
    </p>
  );
}
