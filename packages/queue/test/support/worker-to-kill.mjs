// Takes jobs and never finishes one; says so when it has one. Run as: node worker-to-kill.mjs <built package> <redis url> <prefix>
const [, , builtPackage, redisUrl, prefix] = process.argv;
const { createConsumer, WEBHOOK_QUEUE } = await import(builtPackage);

createConsumer({
  redisUrl,
  prefix,
  queue: WEBHOOK_QUEUE,
  concurrency: 1,
  process: () =>
    new Promise(() => {
      process.stdout.write('taken\n');
    }),
}).start();
