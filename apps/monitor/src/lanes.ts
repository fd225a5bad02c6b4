import type { LiveEvent } from './live-event.ts';

/** How many events, and bytes of them in UTF-8, may wait. In memory they may take twice as much. */
export interface Limits {
  events: number;
  bytes: number;
}

/** The events of one call that wait, in their order. */
export interface Lane {
  callId: string;
  events: LiveEvent[];
  bytes: number;
}

/** The lanes of all calls, within limits. */
export interface Lanes {
  /** Adds an event at the end of its call's lane. Returns false where there is no room. */
  add(callId: string, event: LiveEvent): boolean;
  /** Whether half of the room is free, for this call and in all. */
  hasRoom(callId: string): boolean;
  /** Takes a lane that nobody has taken; undefined where there is none. Each has its turn. */
  take(): Lane | undefined;
  /** Gives a lane back whose first event is done. */
  giveBack(lane: Lane): void;
}

/** Makes the lanes. */
export function createLanes({ ofACall, ofAll }: { ofACall: Limits; ofAll: Limits }): Lanes {
  const lanes = new Map<string, Lane>();
  const free: Lane[] = [];
  const all = { events: 0, bytes: 0 };
  return {
    add(callId, event) {
      const lane = lanes.get(callId) ?? { callId, events: [], bytes: 0 };
      const size = Buffer.byteLength(event.body);
      if (!fits(ofACall, lane.events.length + 1, lane.bytes + size)) return false;
      if (!fits(ofAll, all.events + 1, all.bytes + size)) return false;
      lane.events.push(event);
      lane.bytes += size;
      all.events += 1;
      all.bytes += size;
      if (lanes.has(callId)) return true;
      lanes.set(callId, lane);
      free.push(lane);
      return true;
    },
    hasRoom(callId) {
      const lane = lanes.get(callId);
      const isShort = lane === undefined || fits(half(ofACall), lane.events.length, lane.bytes);
      return isShort && fits(half(ofAll), all.events, all.bytes);
    },
    take: () => free.shift(),
    giveBack(lane) {
      const size = Buffer.byteLength(lane.events.shift()?.body ?? '');
      lane.bytes -= size;
      all.events -= 1;
      all.bytes -= size;
      if (lane.events.length > 0) free.push(lane);
      else lanes.delete(lane.callId);
    },
  };
}

function fits(limits: Limits, events: number, bytes: number): boolean {
  return events <= limits.events && bytes <= limits.bytes;
}

function half({ events, bytes }: Limits): Limits {
  return { events: events / 2, bytes: bytes / 2 };
}
