/** Where steps that may take a while are shown. */
export interface Progress {
  step<T>(label: string, work: () => Promise<T>): Promise<T>
  note(text: string): void
}

/** For callers with no terminal of their own, such as tests: only what needs attention is printed. */
export const quietProgress: Progress = {
  step: (_label, work) => work(),
  note: (text) => console.error(text),
}

/**
 * Shows each step that takes longer than a second, with its time. On a terminal one line is redrawn;
 * elsewhere a line is printed when a step ends, and every ten seconds while it lasts.
 */
export function openProgress(out: NodeJS.WriteStream): Progress & { close(): void } {
  const active = new Map<string, number>()
  const started = (label: string) => active.get(label) ?? Date.now()
  const seconds = (label: string) => (Date.now() - started(label)) / 1000
  const clear = out.isTTY ? '\r\x1b[K' : ''
  let ticks = 0

  const timer = setInterval(() => {
    ticks += 1
    const slow = [...active.keys()].filter((label) => seconds(label) >= 1)
    if (slow.length === 0) return
    const line = slow.map((label) => `${label} ${seconds(label).toFixed(0)} s`).join(', ')
    if (out.isTTY) out.write(`${clear}… ${line}`.slice(0, out.columns + clear.length))
    else if (ticks % 50 === 0) out.write(`… ${line}\n`)
  }, 200).unref()

  return {
    async step(label, work) {
      active.set(label, Date.now())
      try {
        const result = await work()
        if (seconds(label) >= 1) out.write(`${clear}✓ ${label} ${seconds(label).toFixed(1)} s\n`)
        return result
      } finally {
        active.delete(label)
        out.write(clear)
      }
    },
    note: (text) => void out.write(`${clear}${text}\n`),
    close() {
      clearInterval(timer)
      out.write(clear)
    },
  }
}
