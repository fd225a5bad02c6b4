export { recordingVariables } from './variables.ts';
