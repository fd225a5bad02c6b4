import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { curlText, sendText } from '../../pages/events/curl-text.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const SECRET = 'wsec_1';
const HOSTILE = `{"text":"it's $(touch owned) \`touch owned\` \\\\ !! \${HOME}\nEOF\n'; touch owned; '","ar":"مرحبا"}`;

describe('the text that sends an event again', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'curl-text-'));
    // Stands for curl: it writes down what it was told to send.
    writeFileSync(join(folder, 'curl'), '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done > told\n', {
      mode: 0o755,
    });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(text: string): { signature: string; body: Buffer; told: string } {
    const env = { PATH: `${folder}:${process.env['PATH']}`, ELEVENLABS_WEBHOOK_SECRET: `${SECRET},older` };
    execFileSync('sh', ['-c', text], { cwd: folder, env });
    const told = readFileSync(join(folder, 'told'), 'utf8');
    const [, time = '', signature = ''] = /t=(\d+),v0=([0-9a-f]{64})/.exec(told) ?? [];
    const body = readFileSync(join(folder, `${ID}.body`));
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.`).update(body).digest('hex'));
    return { signature, body, told };
  }

  it('signs and sends a small body byte for byte, and a shell finds nothing to do in it', () => {
    const { body, told } = run(curlText({ id: ID, whole_bytes: Buffer.byteLength(HOSTILE), body: HOSTILE }));
    expect(body.toString()).toBe(HOSTILE);
    expect(told).toContain(`--data-binary\n@${ID}.body\n`);
    expect(() => readFileSync(join(folder, 'owned'))).toThrow('ENOENT');
  });

  it('signs and sends the downloaded file where the body is not in the text', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x0a, 0x7d]);
    writeFileSync(join(folder, `${ID}.body`), bytes);
    expect(run(curlText({ id: ID, whole_bytes: 5, body: undefined })).body).toEqual(bytes);
  });

  it.each([
    ['is long', 'x'.repeat(16_385)],
    ['has control characters', 'a\tb\r'],
    ['had bytes that are no text', 'a\ufffd'],
  ])('leaves a body out that %s', (_what, body) => {
    const text = curlText({ id: ID, whole_bytes: Buffer.byteLength(body), body });
    expect(text).toContain(`# Download the body as ${ID}.body`);
    expect(text).not.toContain("printf '%s' '");
  });

  it('leaves a body out of which the page has only a part', () => {
    expect(curlText({ id: ID, whole_bytes: 9, body: '{"a"' })).toContain('# Download the body');
  });

  it('sends by the own tool', () => {
    expect(sendText({ id: ID, whole_bytes: 2, body: '{}' })).toBe(
      `printf '%s' '{}' > ${ID}.body\nnpm run --silent landline -- send ${ID}.body\n`,
    );
  });
});
