/**
 * Makes the next comparison one of the same day (UTC) as the last one, whatever the time is: the first comparison of a day asks again for what is
 * unfetchable, and a test may go over midnight.
 */
export const SAME_DAY = `UPDATE reconciliations SET window_to = now()`;
