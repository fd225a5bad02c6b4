export { AudioTextError } from './split/base64-text.ts';
export { decodeAudio } from './split/decode-audio.ts';
export { splitBody, type AudioRange, type EventFacts, type SplitBody, type SplitFault } from './split/split-body.ts';
export type { ByteRange, ReadRange, SplitSource } from './split/split-source.ts';
export { recordingVariables } from './variables.ts';
