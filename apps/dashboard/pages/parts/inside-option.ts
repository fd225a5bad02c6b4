import { createContext } from 'preact';

/** Whether a part is drawn in a row of a list or in a link, where nothing else may take the focus. */
export const InsideOption = createContext(false);
