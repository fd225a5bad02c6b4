import { onTestFinished, vi } from 'vitest';

/** The only user that s3rver knows. */
export const USER = { id: 'S3RVER', secret: 'S3RVER' };

/** Sets the credentials that the SDK finds, for the running test. Nothing of the machine's own is read. */
export function setCredentials({ id, secret }: { id: string; secret: string } = USER): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
  vi.stubEnv('AWS_SESSION_TOKEN', '');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
}
