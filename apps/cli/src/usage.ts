/** What `landline help` prints. */
export const USAGE = `Usage: npm run landline -- <command>

  send <type or file> [--count n] [--url u]   signs and sends real-shaped events
  migrate                                     brings the tables up to date
  sql "<query>"                               shows rows; the query can only read
  help                                        this text

Everything on this machine: npm start. The tests: npm test.`;
