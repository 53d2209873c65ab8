import { parseArgs } from 'node:util'
import { commandConfig } from '@caregate/common/command'
import { databaseKeys, integer } from '@caregate/common/config'
import { openDatabase } from '@caregate/common/database'
import { toAppError } from '@caregate/common/errors'
import { buildLogger } from '@caregate/common/logger'
import { validate } from '@caregate/common/validate'
import { spec } from './database.ts'
import { buildPasswords, oneTimePassword } from './passwords.ts'
import { createUser, findUserByEmail } from './repository/users.ts'
import { oneTimeUntil, staffBody } from './routes/users.ts'
import { recordUnattended } from '@caregate/common/unattended'

const usage = 'usage: user add EMAIL --roles ROLE[,ROLE…] [--name "FULL NAME"] [--json] [--if-absent]'

/** `user add`: an account without the API, for the first admin anywhere. The password is printed once. */
async function addUser(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      roles: { type: 'string' },
      name: { type: 'string' },
      json: { type: 'boolean' },
      'if-absent': { type: 'boolean' },
    },
  })
  const [command, email] = positionals
  if (command !== 'add' || !email || !values.roles) throw new Error(usage)
  const { CURSOR_KEY: _unused, TRUSTED_PROXIES: _alsoUnused, ...database } = databaseKeys
  const config = commandConfig({ ...database, BCRYPT_COST: integer(12, 4, 16) })
  const details = validate(staffBody, { email, fullName: values.name ?? email, roles: values.roles.split(',') }, false)
  const password = oneTimePassword()
  const passwords = await buildPasswords(config.BCRYPT_COST)
  const db = await openDatabase(
    config,
    spec.entities,
    buildLogger('auth', 'ERROR', 'text'),
    AbortSignal.timeout(10_000),
  )
  try {
    if (values['if-absent'] && (await findUserByEmail(db.manager, details.email))) {
      return console.log(values.json ? '{}' : `${details.email} has an account already`)
    }
    await db.transaction(async (tx) => {
      const user = await createUser(tx, {
        ...details,
        passwordHash: await passwords.hash(password),
        oneTimeUntil: oneTimeUntil(),
      })
      await recordUnattended(tx, 'user add', {
        service: 'auth',
        type: 'auth.user.created',
        action: 'C',
        resource: { type: 'user', id: user.id },
      })
    })
  } finally {
    await db.destroy()
  }
  const answer = { email: details.email, roles: details.roles, oneTimePassword: password }
  console.log(
    values.json
      ? JSON.stringify(answer)
      : `${answer.email} (${answer.roles.join(', ')}), first password, good for 72 hours: ${password}`,
  )
}

try {
  await addUser()
} catch (error) {
  const { message, extras } = toAppError(error)
  console.error(
    extras.errors?.map((field) => field.message).join('\n') ?? (error instanceof Error ? error.message : message),
  )
  process.exitCode = 1
}
