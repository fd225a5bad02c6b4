import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { canEnter, choosePostgresAccount } from '../../src/postgres/account.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

test('Postgres has a user of its own where root starts it, and that of an ordinary user where that user does', async () => {
  const account = await choosePostgresAccount(await makeTempFolder());
  expect(account !== undefined).toBe(process.getuid?.() === 0);
});

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test('the owner of the data runs Postgres', async () => {
    const folder = await makeTempFolder();
    await chown(folder, NOBODY.uid, NOBODY.gid);
    expect(await choosePostgresAccount(folder)).toEqual(NOBODY);
  });

  test('a user of its own runs Postgres where root owns the data or there is none', async () => {
    const folder = await makeTempFolder();
    const [owned, missing] = [
      await choosePostgresAccount(folder),
      await choosePostgresAccount(join(folder, 'missing')),
    ];
    expect(owned?.uid).toBeGreaterThan(0);
    expect(missing).toEqual(owned);
  });

  test('a user can enter a folder that is open to all, also inside one that can be passed through', async () => {
    const folder = await makeTempFolder();
    await mkdir(join(folder, 'inner'), { mode: 0o755 });
    await chmod(folder, 0o711);
    expect(await canEnter(NOBODY, folder)).toBe(true);
    expect(await canEnter(NOBODY, join(folder, 'inner'))).toBe(true);
  });

  test('a user cannot enter a folder that is closed, lies in a closed one, or is missing', async () => {
    const folder = await makeTempFolder();
    await mkdir(join(folder, 'inner'), { mode: 0o755 });
    await chmod(folder, 0o700);
    expect(await canEnter(NOBODY, folder)).toBe(false);
    expect(await canEnter(NOBODY, join(folder, 'inner'))).toBe(false);
    expect(await canEnter(NOBODY, join(folder, 'missing'))).toBe(false);
  });
});
