/** `npm run bench -- NAME`: measurements side by side with peers, as ratios of one run. */
const names = ['gateway', 'login', 'audit', 'patients', 'search', 'import'] as const
const [name] = process.argv.splice(2, 1)
if (!names.includes(name as (typeof names)[number])) {
  console.error(`Usage: npm run bench -- ${names.join('|')}`)
  process.exit(1)
}
await import(`./${name}.ts`)
