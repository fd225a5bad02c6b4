/** The URL of the same Redis with another password, and with another user than the default one where one is named. */
export function logInAs(url: string, password: string, user = ''): string {
  const other = new URL(url);
  other.username = user;
  other.password = password;
  return other.href;
}
