import { parseArgs } from 'node:util'
import { addUser } from './accounts.ts'
import { PlatformError, runTool } from './errors.ts'

await runTool(async () => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { roles: { type: 'string' } } })
  const [command, email] = positionals
  if (command !== 'add' || !email || !values.roles) {
    throw new PlatformError('Usage: npm run user -- add EMAIL --roles ROLE[,ROLE…]')
  }
  const { oneTimePassword } = await addUser(email, values.roles.split(','))
  console.log(`${email} can sign in with the one-time password ${oneTimePassword}, which isn't shown again.`)
})
