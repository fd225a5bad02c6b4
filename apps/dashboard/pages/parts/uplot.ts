/** A file of its own, so that only the page that draws curves loads it. */
export { default as uPlot } from 'uplot';
