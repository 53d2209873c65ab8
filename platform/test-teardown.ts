export default async function teardown(): Promise<void> {
  await (globalThis as { closeTestBacking?: () => Promise<void> }).closeTestBacking?.()
}
