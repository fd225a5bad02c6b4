import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Migrations go past a pooler where DIRECT_URL says how.
  // `prisma generate` needs no database; `prisma migrate deploy` does, and says so when this is empty.
  datasource: { url: process.env['DIRECT_URL'] || process.env['DATABASE_URL'] || '' },
});
