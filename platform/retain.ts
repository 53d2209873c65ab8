import { runTool } from './errors.ts'
import { runAsOwner } from './owner.ts'

await runTool(() => runAsOwner('audit', 'retain.ts', []))
