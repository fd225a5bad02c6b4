const DECORATION = /[\s().-]/g;
const DIALLED = /^\+?\d{3,}$/;

/**
 * A phone number without the spaces and punctuation people put into it. What is no number (`anonymous`, a SIP address)
 * stays as it came; no plus sign is invented.
 */
export function phoneNumber(text: string): string {
  const digits = text.replace(DECORATION, '');
  return DIALLED.test(digits) ? digits : text;
}

/** Whether a number names one caller: `anonymous` and the like name everybody who hides. */
export function isDialledNumber(number: string): boolean {
  return DIALLED.test(number);
}
