import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { PlatformError } from '../errors.ts'
import { isLoopback, serviceFolder, type BackingContext } from './context.ts'
import { containerSpec } from './docker.ts'
import { installPackages } from './packages.ts'

const SERVER = '/usr/bin/redis-server'

/** Redis is used where REDIS_URL asks for it; one that names a free port of this machine is served by our own. */
export async function openRedis(context: BackingContext): Promise<string | undefined> {
  const given = context.env.REDIS_URL
  if (!given) return undefined
  const url = URL.parse(given)
  if (!url || !/^rediss?:$/.test(url.protocol)) {
    throw new PlatformError('REDIS_URL must look like redis://:password@host:6379.')
  }
  const refusal = await ping(url).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  )
  if (!refusal) return given
  const ours = isLoopback(url.hostname) && (url.protocol === 'redis:' || context.tls)
  if (refusal.code !== 'ECONNREFUSED' || !ours) {
    throw new PlatformError(`REDIS_URL: ${url.host} doesn't answer as a Redis server (${refusal.message}).`)
  }
  await startOwn(context, url)
  await context.supervisor.waitUntil('redis', () => ping(url).then(() => true), 30)
  return given
}

async function startOwn(context: BackingContext, url: URL): Promise<void> {
  const port = url.port || '6379'
  const { tls } = context
  const password = url.password ? ['--requirepass', decodeURIComponent(url.password)] : []
  // Counters of the last minute: nothing worth a disk.
  const settings = ['--save', '', '--appendonly', 'no', ...password]
  if (context.kind === 'docker') {
    await context.supervisor.start(
      containerSpec(context.folder, 'redis', {
        flags: ['-p', `127.0.0.1:${port}:6379`],
        args: ['redis-server', ...settings],
        stopSignal: 'SIGTERM',
      }),
    )
    return
  }
  if (!existsSync(SERVER)) await installPackages(context.progress, 'Redis', ['redis-server'], 'REDIS_URL')
  const listener = tls
    ? [
        '--port',
        '0',
        '--tls-port',
        port,
        '--tls-cert-file',
        tls.cert,
        '--tls-key-file',
        tls.key,
        '--tls-auth-clients',
        'no',
      ]
    : ['--port', port]
  await context.supervisor.start({
    name: 'redis',
    command: [SERVER, '--bind', url.hostname.replace(/^\[|\]$/g, ''), ...listener, ...settings],
    cwd: serviceFolder(context, 'redis'),
    env: { PATH: process.env.PATH },
    stopSignal: 'SIGTERM',
    user: context.user,
  })
}

/** Two commands of Redis's protocol; no client library is worth it for a health check. */
function ping(url: URL): Promise<void> {
  const user = decodeURIComponent(url.username)
  const auth = url.password ? `AUTH ${user ? `${user} ` : ''}${decodeURIComponent(url.password)}\r\n` : ''
  return new Promise((resolve, reject) => {
    const options = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 6379),
      timeout: 3_000,
    }
    const socket = url.protocol === 'rediss:' ? connectByTls(options) : connect(options)
    let answer = ''
    socket.setEncoding('utf8').write(`${auth}PING\r\n`)
    socket.on('timeout', () => socket.destroy(new Error('no answer')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(answer.trim() || 'no answer')))
    socket.on('data', (text: string) => {
      answer += text
      if (answer.includes('+PONG')) resolve()
      if (/\+PONG|^-/m.test(answer)) socket.destroy()
    })
  })
}
