import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { isTraversable, launcherPid, lockDataFolder, openSecrets, readEnv, readInfo, writeInfo } from './state.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caregate-state-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('.env is read under the environment, and what is empty in it counts as unset', () => {
  writeFileSync(
    join(folder, '.env'),
    [
      '# the platform',
      'DATABASE_URL=postgresql+asyncpg://care:p%40ss#word@localhost:5432/caregate',
      'SECRET_KEY="two words # kept"',
      "CORS_ORIGINS='https://a.example,https://b.example'",
      'export LOG_LEVEL=INFO # not kept',
      'ALLOWED_HOSTS=',
      'BCRYPT_COST= # nothing',
      'ALGORITHM=HS256\r',
    ].join('\n'),
  )
  expect(readEnv(folder, { ALGORITHM: 'ES256' })).toEqual({
    DATABASE_URL: 'postgresql+asyncpg://care:p%40ss#word@localhost:5432/caregate',
    SECRET_KEY: 'two words # kept',
    CORS_ORIGINS: 'https://a.example,https://b.example',
    LOG_LEVEL: 'INFO',
    ALGORITHM: 'ES256',
  })
})

test('without .env the environment is all there is', () => {
  expect(readEnv(folder, { PATH: '/bin' })).toEqual({ PATH: '/bin' })
})

test('secrets are made once, are long enough, and are nobody else’s to read', () => {
  const secrets = openSecrets(folder)
  expect(Buffer.from(secrets.SECRET_KEY, 'base64')).toHaveLength(48)
  expect(new Set(Object.values(secrets)).size).toBe(Object.keys(secrets).length)
  expect(openSecrets(folder)).toEqual(secrets)
  expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600)
})

test('a second start names the first one’s pid and URL', async () => {
  const lock = await lockDataFolder(folder)
  await expect(lockDataFolder(folder)).rejects.toThrow(`pid ${process.pid}, still starting`)
  const backing = {
    postgres: 'postgresql://127.0.0.1/postgres',
    amqp: 'amqp://127.0.0.1',
    stream: null,
    consul: null,
    redis: null,
  }
  writeInfo(folder, { gateway: 'http://127.0.0.1:8000', services: {}, metrics: '', backing, admin: null })
  await expect(lockDataFolder(folder)).rejects.toThrow(
    `Caregate runs already: pid ${process.pid}, http://127.0.0.1:8000.`,
  )
  lock.release()
  expect(readInfo(folder)).toBeUndefined()
  ;(await lockDataFolder(folder)).release()
})

test('a launcher that was killed holds nothing, even when its pid is in use again', async () => {
  const program = `
    import { lockDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'state.ts'))};
    await lockDataFolder(process.argv[1]);
    console.log('locked');
    setInterval(() => {}, 1000);`
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(launcher.stdout, 'data')
  expect(launcherPid(folder)).toBe(launcher.pid)
  launcher.kill('SIGKILL')
  await once(launcher, 'exit')
  expect(launcherPid(folder)).toBeUndefined()

  writeFileSync(join(folder, 'launcher.json'), JSON.stringify({ pid: process.pid, start: 'another time' }))
  expect(launcherPid(folder)).toBeUndefined()
  ;(await lockDataFolder(folder)).release()
})

test('a folder below a closed one can not be reached by every user', () => {
  expect(isTraversable('/usr/bin')).toBe(true)
  expect(isTraversable(join(folder, 'made', 'later'))).toBe(false)
})
