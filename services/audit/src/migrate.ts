import { runMigrateCommand } from '@caregate/common/migrate'
import { spec } from './database.ts'

await runMigrateCommand(spec)
