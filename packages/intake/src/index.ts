export { createIntake, type Intake, type IntakeOptions, type IntakeStats } from './intake.ts';
export type { PostgresLoss } from './loss-watch-state.ts';
export { intakeVariables } from './variables.ts';
