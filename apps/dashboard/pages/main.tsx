import { render } from 'preact';
import { watchRequests } from './api/client.ts';
import { noteAnswer, noteNoAnswer } from './api/reach.ts';
import { App } from './app.tsx';

watchRequests({ noteAnswer, noteNoAnswer });

const root = document.getElementById('console');
if (root) render(<App />, root);
