import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  /** The URL given, with this proxy's address in it. */
  url: string
  /** Breaks what is connected and refuses what comes, as a server that died does. */
  cut(): void
  restore(): void
  close(): Promise<void>
}

/** Stands before a real server, so that a test can take it away without stopping it. */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let open = true
  const cut = (): void => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    if (!open) return void client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => (sockets.delete(from), to.destroy()))
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    cut,
    restore: () => void (open = true),
    close() {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
