import { createContext } from 'preact';

/** The text that the search looked for, which the chat marks; '' where there was no search. */
export const WantedText = createContext('');
