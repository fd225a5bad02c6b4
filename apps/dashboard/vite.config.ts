import { defineConfig } from 'vite';

/** Builds the console's pages. Their folder is no part of dist, which belongs to tsc. */
export default defineConfig({
  root: 'pages',
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist-pages',
    emptyOutDir: true,
    // Everything is a file of its own with a hash in its name: the policy allows neither inline scripts nor data in styles.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
});
