/** Those who follow the log while it grows: by server-sent events through the gateway, and by AMQP. */
import { get } from 'node:http'
import { connect } from 'amqplib'
import { streamExchange } from '@caregate/common/broker'

export interface Reader {
  name: string
  /** The last event that came, and what was wrong until then: a gap, an end. */
  seen: { last: number; problem?: string }
  close(): Promise<unknown>
}

/** One that comes twice is the broker's right, one that is missing is not. */
function take(seen: Reader['seen'], sequence: number): void {
  if (seen.last && sequence > seen.last + 1) seen.problem ??= `${sequence} came after ${seen.last}`
  seen.last = Math.max(seen.last, sequence)
}

export async function followByHttp(name: string, gateway: string, token: string): Promise<Reader> {
  const seen: Reader['seen'] = { last: 0 }
  const ended = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  await new Promise<void>((resolve, reject) => {
    const request = get(`${gateway}/api/v1/audit/stream`, { headers, agent: false, signal: ended.signal }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`the stream is answered with ${answer.statusCode}`))
      let rest = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n\n')
        rest = parts.pop()!
        for (const part of parts) {
          const [, sequence] = /^id: (\d+)\ndata: /.exec(part) ?? []
          if (sequence) take(seen, Number(sequence))
        }
      })
      answer.on('error', (error) => ended.signal.aborted || (seen.problem ??= error.message))
      answer.on('end', () => (seen.problem ??= 'the stream ended'))
      resolve()
    })
    request.on('error', reject)
  })
  return { name, seen, close: async () => ended.abort() }
}

export async function followByAmqp(url: string): Promise<Reader> {
  const seen: Reader['seen'] = { last: 0 }
  const connection = await connect(url)
  connection.on('error', (error: Error) => (seen.problem ??= error.message))
  const channel = await connection.createChannel()
  const { queue } = await channel.assertQueue('stream.soak', { durable: true })
  await channel.bindQueue(queue, streamExchange, '#')
  await channel.prefetch(500)
  await channel.consume(queue, (message) => {
    if (!message) return void (seen.problem ??= 'the queue was taken away')
    take(seen, (JSON.parse(message.content.toString()) as { sequence: number }).sequence)
    channel.ack(message)
  })
  return { name: 'AMQP', seen, close: () => connection.close() }
}
