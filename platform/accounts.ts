import { withServer } from './server.ts'
import { runScript, serviceDatabaseUrls } from './services.ts'
import type { Secrets } from './state.ts'

export interface NewUser {
  email: string
  oneTimePassword: string
}

/** Adds a user to the checkout's platform, whether it runs or not. The one-time password is told nowhere else. */
export const addUser = (email: string, roles: string[]): Promise<NewUser> =>
  withServer(({ postgres, env, secrets }) => addUserTo(postgres, { email, roles, env, secrets }))

interface AddOptions {
  email: string
  roles: string[]
  env: NodeJS.ProcessEnv
  secrets: Secrets
}

/** Undefined when the database, which may be older than the data folder, has this user already. */
export async function addUserIfAbsent(postgres: string, options: AddOptions): Promise<NewUser | undefined> {
  const { oneTimePassword } = await addUserTo(postgres, options, '--if-absent')
  return oneTimePassword ? { email: options.email, oneTimePassword } : undefined
}

/** By auth's own command, on the server with this administrator's URL. */
async function addUserTo(
  postgres: string,
  { email, roles, env, secrets }: AddOptions,
  ...flags: string[]
): Promise<NewUser> {
  const args = ['add', email, '--roles', roles.join(','), '--json', ...flags]
  const { DATABASE_URL } = serviceDatabaseUrls(postgres, 'auth', secrets)
  const { SECRET_KEY, CURSOR_KEY } = { ...secrets, ...env }
  const printed = await runScript('services/auth/src/user.ts', args, { ...env, DATABASE_URL, SECRET_KEY, CURSOR_KEY })
  return JSON.parse(printed) as NewUser
}
