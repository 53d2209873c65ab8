// Prints the audit log's events as they are stored, by AMQP: what comes while it is away waits in a queue of its own.
// node samples/follow-amqp.mjs amqp://stream:PASSWORD@127.0.0.1:PORT
import { connect } from 'amqplib'
const queue = 'stream.example'
const channel = await (await connect(process.argv[2])).createChannel()
await channel.assertQueue(queue, { durable: true })
await channel.bindQueue(queue, 'audit.stream', '#')
await channel.consume(queue, (message) => {
  console.log(message.content.toString())
  channel.ack(message)
})
