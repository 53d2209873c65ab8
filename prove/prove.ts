/** `npm run prove -- NAME`: shows a claim on a running platform of its own, and prints the figures. */
const names = [
  'edge',
  'rolling',
  'consul',
  'refresh',
  'tokens',
  'timing',
  'audit',
  'tamper',
  'access',
  'nophi',
  'matching',
  'compose',
  'compose-tls',
  'restore',
  'alerts',
] as const
const [name] = process.argv.splice(2, 1)
if (!names.includes(name as (typeof names)[number])) {
  console.error(`Usage: npm run prove -- ${names.join('|')}`)
  process.exit(1)
}
await import(`./${name}.ts`)
