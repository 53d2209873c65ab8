// Runs in the container of a process: what its broker user must not do, and the code with which each try is refused.
import { readFileSync } from 'node:fs'
import { connect } from 'amqplib'

const connection = await connect(readFileSync(process.env.AMQP_URL_FILE, 'utf8'))
connection.on('error', () => {})
const tries = {
  'read the log’s queue': (channel) => channel.get('audit.store'),
  'empty it': (channel) => channel.purgeQueue('audit.store'),
  'remove it': (channel) => channel.deleteQueue('audit.store'),
  'listen to events': async (channel) => channel.bindQueue((await channel.assertQueue('')).queue, 'audit.events', '#'),
  'end sessions': async (channel) => {
    channel.publish('auth.revocations', '', Buffer.from('{}'))
    await channel.waitForConfirms()
  },
}
const outcomes = {}
for (const [what, attempt] of Object.entries(tries)) {
  const channel = await connection.createConfirmChannel()
  const refused = new Promise((resolve) => channel.on('error', ({ code }) => resolve(code)))
  outcomes[what] = await Promise.race([
    refused,
    attempt(channel).then(
      () => 'done',
      () => refused,
    ),
  ])
}
console.log(JSON.stringify(outcomes))
await connection.close()
