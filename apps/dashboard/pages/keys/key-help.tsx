import { Fragment } from 'preact';
import { keyGroups, type Bindings } from './use-keys.ts';
import { Dialog } from '../parts/dialog.tsx';

/** Each key once: that of the newest group, which is the one that runs. */
function listed(groups: readonly { current: Bindings }[]): [string, string][] {
  const all = new Map<string, string>();
  for (const { current } of groups.toReversed()) {
    for (const [key, { does }] of Object.entries(current)) if (!all.has(key)) all.set(key, does);
  }
  // `down` and `up` do what j and k do.
  return [...all].filter(([key]) => key !== 'down' && key !== 'up');
}

/** One key, or one after the other. */
export function Keys({ keys }: { keys: string }) {
  const parts = keys.split(' ');
  return (
    <span class="keys">
      {parts.map((key, n) => (
        <Fragment key={key}>
          {n > 0 && <span class="keys-then"> then </span>}
          <kbd>{key}</kbd>
        </Fragment>
      ))}
    </span>
  );
}

/** Lists the keys of what is shown now. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const [ofApp, ofPage] = [keyGroups.value.slice(0, 1), keyGroups.value.slice(1)];
  const sections = [
    { title: 'On this page', rows: listed(ofPage) },
    { title: 'Everywhere', rows: listed(ofApp) },
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <div class="key-help">
        {sections
          .filter(({ rows }) => rows.length > 0)
          .map(({ title, rows }) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {rows.map(([key, does]) => (
                  <div key={key}>
                    <dt>
                      <Keys keys={key} />
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
      </div>
    </Dialog>
  );
}
