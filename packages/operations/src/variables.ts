import { recordingVariables } from '@landline/recordings';

/** The variables of this package, as a shape for a process's schema. */
export const operationVariables = {
  /** Where recordings are kept, as the receiver has it: what is forgotten is removed there. */
  RECORDINGS_URL: recordingVariables.RECORDINGS_URL,
};
