/** Something the person at the terminal can mend: shown as its message alone, without a stack. */
export class PlatformError extends Error {}

/** Runs a command-line tool of the platform and turns what it throws into a message and exit code 1. */
export async function runTool(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    console.error(error instanceof PlatformError ? error.message : error)
    process.exitCode = 1
  }
}
