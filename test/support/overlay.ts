import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { buildKustomization, type Manifest } from './kustomize.ts';
import { ROOT } from './root.ts';

/** The overlays of deploy/kubernetes. */
export const OVERLAYS = ['small', 'cluster'] as const;

/** The name of an overlay. */
export type OverlayName = (typeof OVERLAYS)[number];

/** What a person brings for the overlay `cluster`: the files that make-secrets.sh does not make. */
const BROUGHT: Readonly<Record<string, string>> = {
  'redis-url': 'rediss://:secret@redis.example.com:6379',
  'owner/url': 'postgresql://landline_owner:secret@postgres.example.com:5432/landline',
  'worker/url': 'postgresql://landline_worker:secret@postgres.example.com:5432/landline',
  'reader/url': 'postgresql://landline_reader:secret@postgres.example.com:5432/landline',
};

/** A copy of deploy/kubernetes, with the secrets of an overlay. */
export interface Copy {
  /** The folder of the overlay, which holds kustomization.yaml and `secrets`. */
  folder: string;
  /** What make-secrets.sh printed. */
  output: string;
}

/** Copies deploy/kubernetes into `parent`, and makes the secrets of an overlay as docs/kubernetes.md says. */
export function copyOverlay(parent: string, overlay: OverlayName): Copy {
  const copy = join(parent, overlay);
  const source = join(ROOT, 'deploy/kubernetes');
  // A person's own secrets stay where they are.
  cpSync(source, copy, { recursive: true, filter: (path) => !/\/overlays\/\w+\/secrets(\/|$)/.test(path) });
  const output = execFileSync('sh', [join(copy, 'make-secrets.sh'), overlay], { encoding: 'utf8' });
  const folder = join(copy, 'overlays', overlay);
  if (overlay === 'cluster') {
    for (const [file, text] of Object.entries(BROUGHT)) writeFileSync(join(folder, 'secrets', file), text);
  }
  return { folder, output };
}

/** Makes a copy of an overlay for the running test; it is removed when the test ends. */
export function anOverlay(overlay: OverlayName): Copy {
  const parent = mkdtempSync(join(tmpdir(), 'landline-kubernetes-'));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  return copyOverlay(parent, overlay);
}

/** Builds an overlay, with secrets made for it. */
export function buildOverlay(overlay: OverlayName): Manifest[] {
  const parent = mkdtempSync(join(tmpdir(), 'landline-kubernetes-'));
  try {
    return buildKustomization(copyOverlay(parent, overlay).folder);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
