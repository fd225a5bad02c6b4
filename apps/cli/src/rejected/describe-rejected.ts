import type { RejectedListing, RejectedRow } from '@landline/store';
import { showControls } from '../format-table.ts';

/** A refused request, with its body or without. */
type Described = RejectedListing | RejectedRow;

/** Returns a refused request as a JSON document, without its body. The names are those of the columns; times are ISO 8601 in UTC. */
export function rejectedDocument(row: Described): Record<string, unknown> {
  return {
    id: row.id,
    received_at: time(row.receivedAt),
    code: row.code,
    cause: row.cause,
    advice: row.advice,
    header: row.header,
    headers: row.headers,
    body_bytes: row.bodyBytes,
    kept_bytes: keptBytes(row),
    sender: row.sender,
    readmitted_at: row.readmittedAt === null ? null : time(row.readmittedAt),
  };
}

/** Describes a refused request for a person, a line for each fact. Times are in UTC. */
export function describeRejected(row: RejectedRow): string {
  const facts: [name: string, value: string | null][] = [
    ['id', row.id],
    ['received at', time(row.receivedAt)],
    ['code', row.code],
    ['cause', row.cause],
    ['advice', row.advice],
    ['header', row.header === null ? null : [row.header].flat().join(' | ')],
    ...Object.entries(row.headers).map(([name, value]): [string, string] => [`  ${name}`, value]),
    ['body', bodyOf(row)],
    ['sender', row.sender],
    ['readmitted at', row.readmittedAt === null ? null : time(row.readmittedAt)],
  ];
  const given = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${showControls(name).padEnd(width)}  ${showControls(value)}`).join('\n');
}

function bodyOf(row: RejectedRow): string {
  const kept = keptBytes(row);
  const whole = row.bodyBytes === null ? 'nobody knows how many bytes' : `${row.bodyBytes} bytes`;
  if (kept === null) return `${whole}, none of them read`;
  return kept < (row.bodyBytes ?? kept) ? `${whole}, the first ${kept} of them kept` : whole;
}

function keptBytes(row: Described): number | null {
  if ('keptBytes' in row) return row.keptBytes;
  return row.body?.length ?? null;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
