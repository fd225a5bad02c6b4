// The package does not export it: other packages get jobs that are parsed. Tests read jobs where they lie.
export { jobSchema } from '../../src/jobs/job.ts';
