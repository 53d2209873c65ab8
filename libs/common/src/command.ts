import { loadConfig, trustKeys, type Config, type Keys } from './config.ts'
import { trustAuthorities } from './tls.ts'

/** The configuration of a command, which trusts whom the services trust. @throws {ConfigError} */
export function commandConfig<K extends Keys>(keys: K): Config<K> {
  const config = loadConfig({ ...keys, ...trustKeys }, process.env)
  const { TLS_CA_FILE } = loadConfig(trustKeys, process.env)
  if (TLS_CA_FILE) trustAuthorities(TLS_CA_FILE)
  return config
}
