const plenty = '1000000'

/** The environment of a platform that a proof starts: of the shell's no more than it takes to run, and no limit in the way. */
export const unlimited = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  RATE_LIMIT_PER_MINUTE: plenty,
  RATE_LIMIT_PER_MINUTE_SIGNED_IN: plenty,
  RATE_LIMIT_CREDENTIALS_PER_MINUTE: plenty,
  SIGN_IN_ATTEMPTS: plenty,
  SIGN_IN_ATTEMPTS_PER_ADDRESS: plenty,
}
