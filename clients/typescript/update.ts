/** npm run client: takes over the document of the API that runs here, and its types, unless that breaks clients unannounced. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findGateway } from '../../platform/client.ts'
import { PlatformError, runTool } from '../../platform/errors.ts'
import { breaks, files, readDocument, typesOf, type Document } from './contract.ts'

await runTool(async () => {
  const served = (await (await fetch(`${await findGateway()}/openapi.json`)).json()) as Document
  const broken = breaks(await readDocument(), served)
  const changelog = await readFile(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8')
  const announced = /^## Unreleased\n(?:(?!^## )[^])*^- \*\*Breaking\*\*/m.test(changelog)
  console.log(broken.join('\n'))
  if (broken.length && !announced)
    throw new PlatformError(
      'These changes break clients. Announce them in CHANGELOG.md, under Unreleased, in a line that begins with `- **Breaking**`.',
    )
  await writeFile(files.document, `${JSON.stringify(served, undefined, 1)}\n`)
  await writeFile(files.types, await typesOf(served))
})
