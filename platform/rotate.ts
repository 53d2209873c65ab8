import { PlatformError, runTool } from './errors.ts'
import { runAsOwner } from './owner.ts'

await runTool(async () => {
  if (process.argv[2] !== 'patients') throw new PlatformError('Usage: npm run rotate -- patients')
  await runAsOwner('patients', 'rotate.ts', [], ['FIELD_KEY'])
})
