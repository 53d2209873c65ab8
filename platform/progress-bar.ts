/** Rows done, pace and time left: a bar that moves on a terminal, a plain line every five seconds elsewhere. */
export function startProgress(total: number) {
  const out = process.stdout
  const started = performance.now()
  let done = 0

  function pace() {
    const seconds = (performance.now() - started) / 1000
    return { seconds, rate: done / seconds }
  }
  function draw() {
    const { rate } = pace()
    const eta = done ? Math.ceil((total - done) / rate) : '?'
    const line = `${done}/${total}  ${rate.toFixed(1)} rows/s  ETA ${eta} s`
    const bar = '#'.repeat(Math.round((30 * done) / (total || 1))).padEnd(30, '-')
    out.write(out.isTTY ? `\r[${bar}] ${line}\x1b[K` : `${line}\n`)
  }

  const timer = setInterval(draw, out.isTTY ? 200 : 5000)
  return {
    pace,
    tick() {
      done++
    },
    stop() {
      clearInterval(timer)
      draw()
      if (out.isTTY) out.write('\n')
    },
  }
}
