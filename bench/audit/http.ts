import { Agent, request } from 'node:http'

/** Asks a service as so many clients would, each for one thing after another on a connection of its own. */
export function openClients(port: number, token: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })

  /** @returns milliseconds until the answer was there, and the answer */
  function send(
    method: string,
    path: string,
    body?: object,
    more: Record<string, string> = {},
  ): Promise<{ ms: number; body: string }> {
    const json = body && JSON.stringify(body)
    const headers = {
      authorization: `Bearer ${token}`,
      ...(json && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
      ...more,
    }
    const from = performance.now()
    return new Promise((resolve, reject) => {
      const sent = request({ port, agent, method, path: `/api/v1${path}`, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () =>
          answer.statusCode! < 300
            ? resolve({ ms: performance.now() - from, body: text })
            : reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`)),
        )
      })
      sent.on('error', reject).end(json)
    })
  }

  /** @returns how long each answer took, in milliseconds */
  async function sendMany(count: number, one: (n: number) => Promise<{ ms: number }>): Promise<number[]> {
    const times: number[] = []
    let next = 0
    async function ask(): Promise<void> {
      while (next < count) times.push((await one(next++)).ms)
    }
    await Promise.all(Array.from({ length: connections }, ask))
    return times
  }

  return {
    send,
    sendMany,
    getMany: (paths: readonly string[]) => sendMany(paths.length, (n) => send('GET', paths[n]!)),
    close: () => agent.destroy(),
  }
}
