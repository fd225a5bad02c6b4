export * from './conversations.ts';
export * from './events.ts';
export * from './failures.ts';
export * from './fields.ts';
export * from './operations.ts';
export * from './overview.ts';
export * from './rejected.ts';
export * from './session.ts';
