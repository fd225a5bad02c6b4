/** A page of the console, as the navigation shows it. */
export interface Place {
  href: string;
  name: string;
  /** Goes there after `g`. */
  key: string;
  /** Path of its sign, in a box of 16. */
  icon: string;
}

/** The pages, in the order of the navigation. */
export const PLACES: readonly Place[] = [
  { href: '/', name: 'Overview', key: 'o', icon: 'M1.5 9h3l2-6 3 10 2-4h3' },
  {
    href: '/conversations',
    name: 'Conversations',
    key: 'c',
    icon: 'M2 3.5h12v8H7l-3 2.5v-2.5H2zM5 6.5h6M5 8.8h4',
  },
  { href: '/events', name: 'Events', key: 'e', icon: 'M2 4h2M2 8h2M2 12h2M6.5 4H14M6.5 8H14M6.5 12H14' },
  { href: '/failures', name: 'Failures', key: 'f', icon: 'M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1' },
  { href: '/rejected', name: 'Rejected', key: 'r', icon: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 4l8 8' },
  {
    href: '/operations',
    name: 'Operations',
    key: 'p',
    icon: 'M13.5 8A5.5 5.5 0 1 1 11 3.4M13.5 2v3h-3M8 5v3l2 1.5',
  },
  {
    href: '/provider',
    name: 'ElevenLabs',
    key: 'v',
    icon: 'M5 11.5a3 3 0 1 1 .4-6 3.6 3.6 0 0 1 6.8 1.2A2.5 2.5 0 0 1 12 11.5zM6.5 8.5 8 10l2.5-2.8',
  },
];
